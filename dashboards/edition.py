"""What boards and alert rules are made for: a language, and the settings' indicators."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from agent.common.vocabulary import indicators, targets, thresholds
from agent.common.vocabulary.words import Lang, Words


class Shown(NamedTuple):
    """An indicator as boards show it; the newest target in percent, None without one."""

    title: Words
    target: float | None


def default_indicators(threshold_mbps: float) -> dict[str, Shown]:
    """The method's own, by a line threshold."""
    return {
        name: Shown(indicators.title(name, threshold_mbps), _percent(name, threshold_mbps))
        for name in indicators.INDICATORS
    }


def _percent(indicator: str, threshold_mbps: float) -> float | None:
    row = targets.target(indicator, dt.MAXYEAR, threshold_mbps)
    return None if row is None else float(row.value * 100)


class Edition(NamedTuple):
    """A language, when a line meets the threshold, and the indicators; rates in Mbit/s."""

    lang: Lang
    threshold_mbps: float = thresholds.THRESHOLD_MBPS
    tolerance: float = thresholds.TOLERANCE
    shown: Mapping[str, Shown] | None = None  # None: the method's own
    schools: Mapping[str, str] | None = None  # code -> name, for alerts; None: codes alone

    @property
    def met_mbps(self) -> float:
        """What a line must reach."""
        return thresholds.limit(self.threshold_mbps, self.tolerance)

    @property
    def label(self) -> str:
        """The threshold as people call it: 10M."""
        return thresholds.label(self.threshold_mbps)

    @property
    def asked(self) -> str:
        """The threshold as a number: 10."""
        return thresholds.number(self.threshold_mbps)

    @property
    def indicators(self) -> Mapping[str, Shown]:
        """What the overview shows, in this order."""
        return default_indicators(self.threshold_mbps) if self.shown is None else self.shown

    def words(self, indicator: str) -> Words:
        """The name of an indicator in both languages."""
        chosen = self.indicators.get(indicator)
        return chosen.title if chosen else indicators.title(indicator, self.threshold_mbps)

    def title(self, indicator: str) -> str:
        """The name of an indicator."""
        return self.words(indicator).of(self.lang)

    def target(self, indicator: str) -> float | None:
        """The newest target in percent; None where no document asks for this threshold."""
        chosen = self.indicators.get(indicator)
        return chosen.target if chosen else None

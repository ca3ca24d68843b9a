"""What boards and alert rules are made for: a language, and the settings' line threshold."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from agent.common.vocabulary import indicators, targets, thresholds
from agent.common.vocabulary.words import Lang


class Edition(NamedTuple):
    """A language, and when a line meets the threshold; rates in Mbit/s."""

    lang: Lang
    threshold_mbps: float = thresholds.THRESHOLD_MBPS
    tolerance: float = thresholds.TOLERANCE

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

    def title(self, indicator: str) -> str:
        """The name of an indicator."""
        return indicators.title(indicator, self.threshold_mbps).of(self.lang)

    def target(self, indicator: str) -> float | None:
        """The newest target in percent; None where no document asks for this threshold."""
        row = targets.target(indicator, dt.MAXYEAR, self.threshold_mbps)
        return None if row is None else float(row.value * 100)

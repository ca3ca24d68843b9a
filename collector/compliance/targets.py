"""Whether a share passes its target, and the note on that target. Pure."""

from __future__ import annotations

from fractions import Fraction

from agent.common.vocabulary import indicators, targets
from agent.common.vocabulary.targets import Target
from collector.compliance.model import Figure, Indicator
from collector.compliance.shares import exact


def threshold(figure: Figure) -> Fraction:
    """The line threshold in force, in Mbit/s."""
    return exact(figure.settings.threshold_mbps)


def name(figure: Figure, indicator: Indicator) -> str:
    """The indicator's name as users read it, made from the threshold in force."""
    return str(indicators.title(indicator, figure.settings.threshold_mbps))


def target(figure: Figure, indicator: Indicator) -> Target | None:
    """What the share is compared with; None where no document asks for this threshold."""
    return targets.target(indicator, figure.year, threshold(figure))


def goal(row: Target | None) -> Fraction | None:
    """The share asked for."""
    return None if row is None else row.value


def applies(row: Target | None, year: int) -> bool:
    """Whether a share of `year` can pass or fail: in the target's own year only."""
    return row is not None and row.year == year


def passed(share: Fraction | None, row: Target | None, year: int) -> bool | None:
    """Whether the share reaches the target; None if there is nothing to pass or fail."""
    if share is None or row is None or not applies(row, year):
        return None
    return share >= row.value


def remark(row: Target | None, year: int) -> str:
    """「对照 2020 年目标」 for another year's row, 「没有目标」 without any; else empty."""
    return str(targets.remark(row, year))

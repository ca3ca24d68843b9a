"""Which share a document asks for, by the end of which year: dated rows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from agent.common.vocabulary.words import Words


@dataclass(frozen=True, slots=True)
class Target:
    """A share that a document asks for, by the end of a year."""

    indicator: str
    document: str
    year: int
    value: Fraction
    threshold_mbps: Fraction | None = None  # of a line; "以上" includes the number itself


#: The whole title is not known to us: whoever has the document puts it into `[[figure.targets]]`.
_PLAN, _PLAN_27 = "《西宁市…实施方案》第 26 条", "《西宁市…实施方案》第 27 条"

TARGETS = (
    Target("multimedia", _PLAN, 2020, Fraction(1)),
    Target("computer_room", _PLAN, 2020, Fraction(1)),
    Target("line", _PLAN, 2020, Fraction(80, 100), Fraction(10)),
    Target("resource_package", _PLAN_27, 2020, Fraction(1)),
    Target("teacher_space", _PLAN_27, 2020, Fraction(85, 100)),
)


def target(
    indicator: str,
    year: int,
    threshold_mbps: float | Fraction,
    among: Sequence[Target] = TARGETS,
) -> Target | None:
    """The year's own row; without one the latest before it, else the earliest after.

    None where no document asks for anything at this threshold.
    """
    rows = [
        row
        for row in among
        if row.indicator == indicator
        and row.threshold_mbps in (None, Fraction(str(threshold_mbps)))
    ]
    before = [row for row in rows if row.year <= year]
    if before:
        return max(before, key=lambda row: row.year)
    return min(rows, key=lambda row: row.year, default=None)


def remark(row: Target | None, year: int) -> Words:
    """The note on a target of another year, or on none at all; empty for the year's own."""
    if row is None:
        return Words("没有目标", "no target")
    if row.year == year:
        return Words("", "")
    return Words(f"对照 {row.year} 年目标", f"compared with the target of {row.year}")

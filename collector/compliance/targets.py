"""The targets of the shares, each with its year. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from agent.common.language import say
from collector.compliance.model import Indicator


@dataclass(frozen=True, slots=True)
class Target:
    """A share that a document requires by the end of a year."""

    indicator: Indicator
    document: str
    year: int
    value: Fraction
    threshold_mbps: Fraction | None = None  # of a line; "以上" includes the number itself


_PLAN = "《西宁市…实施方案》第 26 条"

TARGETS = (
    Target("multimedia", _PLAN, 2020, Fraction(1)),
    Target("computer_room", _PLAN, 2020, Fraction(1)),
    Target("line_10m", _PLAN, 2020, Fraction(80, 100), Fraction(10)),
)

NAMES: dict[Indicator, tuple[str, str]] = {
    "multimedia": ("中小学班级多媒体设备配备率", "Classes with multimedia equipment"),
    "computer_room": ("学校计算机教室配备率", "Schools with a computer room"),
    "line_10m": ("10M 以上带宽接入比例", "Schools on a line of 10M or more"),
}


def name(indicator: Indicator) -> str:
    """The indicator's name as users read it."""
    return say(*NAMES[indicator])


def target(indicator: Indicator, year: int) -> Target:
    """The target of the year; without one the latest before it, else the earliest after."""
    rows = [row for row in TARGETS if row.indicator == indicator]
    before = [row for row in rows if row.year <= year]
    if before:
        return max(before, key=lambda row: row.year)
    return min(rows, key=lambda row: row.year)


def applies(row: Target, year: int, threshold_mbps: Fraction) -> bool:
    """Whether a share of `year` can pass or fail `row`.

    Only in the row's own year, and only if the line was judged by the row's own threshold.
    """
    return row.year == year and row.threshold_mbps in (None, threshold_mbps)


def passed(share: Fraction | None, row: Target, year: int, threshold_mbps: Fraction) -> bool | None:
    """Whether the share reaches the target; None if there is nothing to pass or fail."""
    if share is None or not applies(row, year, threshold_mbps):
        return None
    return share >= row.value


def remark(row: Target, year: int) -> str:
    """「对照 2020 年目标」 in a year without a row of its own, else empty."""
    if row.year == year:
        return ""
    return say(f"对照 {row.year} 年目标", f"compared with the target of {row.year}")

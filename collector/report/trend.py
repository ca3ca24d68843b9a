"""How the figure moved: the frozen years side by side, and the months of the current one. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from agent.common.language import say
from agent.common.vocabulary.thresholds import label
from collector.compliance.model import Area, Figure
from collector.report.context import Context, FrozenYear, Tallies
from collector.report.rows import Row, of_year

_SHORT_HASH = 12


@dataclass(frozen=True, slots=True)
class Year:
    """A year's indicators by its own targets and threshold; `frozen` is None for today's."""

    year: int
    cutoff: dt.date
    rows: Sequence[Row]
    frozen: FrozenYear | None
    threshold_mbps: float

    @property
    def state(self) -> str:
        """What stands behind it: the frozen revision and its root hash, or nothing yet."""
        if self.frozen is None:
            return say("未冻结", "not frozen")
        revision = self.frozen.revision
        return say(f"已冻结，第 {revision} 版", f"frozen, revision {revision}") + (
            f" · {self.frozen.root[:_SHORT_HASH]}" if self.frozen.root else ""
        )


@dataclass(frozen=True, slots=True)
class MonthRow:
    """The figure as the store held it on a month's last day that has one."""

    day: dt.date
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Trend:
    """Years and months of the figure's first area; both empty where nothing was before."""

    area: str
    years: Sequence[Year]
    months: Sequence[MonthRow]
    districts: Sequence[Area]  # beside which the years can be set too
    remarks: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self.years or self.months)


def trend(figure: Figure, context: Context) -> Trend:
    """What the frozen years and the months say of `figure.areas[0]`.

    The figure itself stands as the last year, unless it is a frozen one. A year or month in which
    the area had no unit is left out, and so is a table of the figure alone.
    """
    area = figure.areas[0].code
    past = [row for row in context.frozen if row.year <= figure.year and _has(row.tallies, area)]
    years = [_frozen(figure, row) for row in sorted(past, key=lambda row: row.year)]
    if years and years[-1].year < figure.year:
        years.append(_today(figure))
    months = [
        MonthRow(row.day, of_year(figure, figure.year, _mbps(figure), row.tallies))
        for row in sorted(context.months, key=lambda row: row.day)
        if _has(row.tallies, area)
    ]
    districts = [row for row in figure.areas[1:] if row.level == "district"]
    return Trend(area, years, months, districts, _remarks(figure, years))


def _has(tallies: Tallies, area: str) -> bool:
    return any(tally.all for (code, _), tally in tallies.items() if code == area)


def _mbps(figure: Figure) -> float:
    return figure.settings.threshold_mbps


def _frozen(figure: Figure, row: FrozenYear) -> Year:
    rows = of_year(figure, row.year, row.threshold_mbps, row.tallies)
    return Year(row.year, row.cutoff, rows, row, row.threshold_mbps)


def _today(figure: Figure) -> Year:
    rows = of_year(figure, figure.year, _mbps(figure), figure.tallies)
    return Year(figure.year, figure.cutoff, rows, None, _mbps(figure))


def _remarks(figure: Figure, years: Sequence[Year]) -> list[str]:
    """Years that were counted by another threshold: their line figure is another one."""
    here = _mbps(figure)
    return [
        say(
            f"{row.year} 年的带宽门限是 {label(row.threshold_mbps)}，不是 {label(here)}。",
            f"In {row.year} the line's threshold was {label(row.threshold_mbps)}, "
            f"not {label(here)}.",
        )
        for row in years
        if row.threshold_mbps != here
    ]

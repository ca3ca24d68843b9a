"""What a report shows beside the figure, read from settings and store."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import cast

from agent.common.calendar import local_day, midnight_ns
from collector import config
from collector.archive import lookup, summary
from collector.compliance.model import Figure, Indicator, Tally, Verdict
from collector.compliance.window import ONE_DAY
from collector.report import kinds
from collector.report.context import Context, FrozenYear, Month, Signature, Tallies
from collector.store.base import Point, Store

_COUNTS = tuple(str(verdict) for verdict in Verdict)


def context(settings: config.Config, store: Store, figure: Figure, areas: Sequence[str]) -> Context:
    """The signature block, the frozen years, and the months of these areas, by code.

    Raises:
        ArchiveError: an archive of the folder cannot be read, or is damaged.
        StoreError: the store cannot be read.
    """
    signed = settings.report
    years = lookup.years(settings, simulated=figure.simulated)
    own = years.get(figure.year) if figure.root else None
    return Context(
        signature=Signature(signed.unit, signed.person, signed.phone),
        root=figure.root,
        archive=own.file if own else "",
        frozen=[_year(row) for year, row in sorted(years.items()) if year <= figure.year],
        months=months(store, figure, areas),
        font=signed.font,
    )


def _year(row: summary.FrozenYear) -> FrozenYear:
    tallies = {
        (area.code, indicator.id): area.tally(indicator.id)
        for area in row.areas
        for indicator in row.indicators
    }
    return FrozenYear(
        year=row.year,
        cutoff=row.cutoff,
        tallies=cast(Tallies, tallies),
        threshold_mbps=row.threshold_mbps,
        archive=row.file,
        root=row.root,
        revision=row.revision,
    )


def months(store: Store, figure: Figure, areas: Sequence[str]) -> Sequence[Month]:
    """The last day of each month of the year that has a figure, as the keeper judged it then.

    Raises:
        StoreError: the store cannot be read.
    """
    start = midnight_ns(dt.date(figure.year, 1, 1))
    stop = midnight_ns(figure.cutoff + ONE_DAY)
    tags = {"area": areas, "indicator": kinds.every(figure)}
    days: dict[dt.date, dict[tuple[str, Indicator], Tally]] = defaultdict(dict)
    for point in store.read("indicator", start, stop, tags, _COUNTS):
        days[local_day(point.time // 10**9)].update(_tally(figure, point))
    last = {day.month: day for day in sorted(days)}
    return [Month(day, days[day]) for day in last.values()]


def _tally(figure: Figure, point: Point) -> Mapping[tuple[str, Indicator], Tally]:
    counts = Counter({verdict: int(point.fields.get(verdict, 0)) for verdict in Verdict})
    area = point.tags.get("area", "")
    return {
        (area, indicator): Tally(counts)
        for indicator in kinds.every(figure)
        if indicator == point.tags.get("indicator")
    }

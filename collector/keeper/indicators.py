"""The day's indicators: the figure as of that day, as points."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping

from agent.common.calendar import CITY_TIME
from collector.config import City, Figure
from collector.keeper.midnight import midnight
from collector.roster.register import Register
from collector.store import Point, Store

__all__ = ["CITY_TIME", "city_day", "of_day"]


def city_day(time_ns: int) -> dt.date:
    """The city's day of a time in ns since 1970 UTC."""
    return dt.datetime.fromtimestamp(time_ns // 10**9, CITY_TIME).date()


def of_day(
    store: Store, register: Register, figure: Figure, city: City, day: dt.date
) -> Iterator[Point]:
    """The `indicator`, `school_day` and `line_day` points of a day.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    # Imported on first use: deriving days does not need the judging.
    from collector.compliance.evidence import judged_by_school
    from collector.compliance.figure import Judge
    from collector.compliance.indicators import points

    judging = Judge(register, figure, city, year=day.year, today=day)
    for _, few in judged_by_school(store, register, figure, judging.cutoff):
        judging.add_judged(few)
    judged = judging.figure(simulated=store.simulated())
    pcs = _pcs(store, day)
    for point in points(judged, day):
        yield _with_pcs(point, pcs) if point.measurement == "school_day" else point


def _pcs(store: Store, day: dt.date) -> Mapping[str, int]:
    """Distinct PCs that reported that day, by school."""
    start = midnight(day)
    machines: dict[str, set[str]] = defaultdict(set)
    for point in store.read("machine_day", start, start + 1, fields=["seen"]):
        machines[point.tags["school"]].add(point.tags["machine"])
    return {school: len(found) for school, found in machines.items()}


def _with_pcs(point: Point, pcs: Mapping[str, int]) -> Point:
    return point._replace(fields={**point.fields, "pcs": pcs.get(point.tags["school"], 0)})

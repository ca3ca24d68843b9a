"""`school_hour`: PCs, reports and faults of a registered school in each hour so far. Pure.

A school without reports has rows of zeros: without them, silence would look like no school. An hour
whose reports were deleted keeps its stored counts.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.common.calendar import Calendar, local_time
from collector.keeper.fields import certain, number, text
from collector.keeper.midnight import bounds
from collector.roster.register import Register
from collector.store import Point, Value

HOUR = 3600 * 10**9  # ns
_COUNTS = ("pcs", "reports", "missing", "faults")


@dataclass(slots=True)
class _Hour:
    machines: set[str] = field(default_factory=set)
    reports: int = 0
    simulated: bool = False
    devices: dict[tuple[str, str], Point] = field(default_factory=dict)  # the hour's last reading


def school_hours(
    agents: Iterable[Point],
    devices: Iterable[Point],
    stored: Iterable[Point],
    register: Register,
    school: str,
    day: dt.date,
    now: int,
) -> list[Point]:
    """The rows of `school` for the hours of `day` that have begun at `now` (ns since 1970 UTC).

    `agents` and `devices` are the day's raw points, `stored` its rows so far; in any order.
    Missing and faulty devices are counted by their last reading in the hour.
    """
    found = _gather(agents, devices)
    known = {point.time: point for point in stored}
    tags = {"school": school, "district": register.district_of(school)}
    start, stop = bounds(day)
    return [
        Point("school_hour", tags, _fields(found[time], known.get(time), register, time), time)
        for time in range(start, min(stop, now + 1), HOUR)
    ]


def _gather(agents: Iterable[Point], devices: Iterable[Point]) -> defaultdict[int, _Hour]:
    found: defaultdict[int, _Hour] = defaultdict(_Hour)
    for point in filter(certain, agents):
        hour = found[_hour(point)]
        hour.machines.add(point.tags.get("machine", ""))
        hour.reports += 1
        hour.simulated |= point.fields.get("simulated") is True
    for point in filter(certain, devices):
        last = found[_hour(point)].devices
        key = point.tags.get("machine", ""), point.tags.get("device", "")
        if key not in last or last[key].time <= point.time:
            last[key] = point
    return found


def _hour(point: Point) -> int:
    return point.time - point.time % HOUR  # the city's offset is whole hours


def _fields(hour: _Hour, row: Point | None, register: Register, time: int) -> dict[str, Value]:
    counts = {
        "pcs": len(hour.machines),
        "reports": hour.reports,
        "missing": sum(point.fields.get("present") is False for point in hour.devices.values()),
        "faults": sum(bool(text(point.fields, "fault")) for point in hour.devices.values()),
    }
    if row is not None and (number(row.fields, "reports") or 0) > hour.reports:
        counts = {name: number(row.fields, name) or 0 for name in _COUNTS}
    simulated = hour.simulated or (row is not None and row.fields.get("simulated") is True)
    fields: dict[str, Value] = {**counts, "open": _is_open(register.calendar, time)}
    return fields | ({"simulated": True} if simulated else {})


def _is_open(calendar: Calendar, time: int) -> bool:
    """Whether schools are open in any part of the hour that begins at `time`."""
    begin = local_time(time // 10**9)
    first, last = calendar.hours.open
    end = dt.time.max if begin.hour == 23 else dt.time(begin.hour + 1)
    return calendar.is_open_day(begin.date()) and first < end and begin.time() < last

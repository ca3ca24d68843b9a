"""`school_hour`: PCs, reports and faults of a registered school in each hour so far. Pure.

A school without reports has rows of zeros: without them, silence would look like no school. An hour
whose reports were deleted keeps its stored counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.common.calendar import Calendar, local_time
from collector.keeper.fields import certain, number, text
from collector.keeper.midnight import bounds
from collector.roster.register import Register
from collector.store import Point, Value

HOUR = 3600 * 10**9  # ns
_COUNTS = ("pcs", "reports", "missing", "faults")


class Counts(NamedTuple):
    """What an hour's row counts; `simulated`: how many of the PCs are."""

    pcs: int = 0
    reports: int = 0
    missing: int = 0
    faults: int = 0
    simulated: int = 0


class _Reading(NamedTuple):
    time: int  # ns
    missing: bool
    fault: bool


@dataclass(slots=True)
class HourFacts:
    """An hour's reports, and the last reading of each device in it."""

    machines: set[str] = field(default_factory=set)
    reports: int = 0
    simulated: set[str] = field(default_factory=set)
    devices: dict[tuple[str, str], _Reading] = field(default_factory=dict)

    def counts(self) -> Counts:
        """What the hour's row says of them."""
        missing = sum(reading.missing for reading in self.devices.values())
        faults = sum(reading.fault for reading in self.devices.values())
        return Counts(len(self.machines), self.reports, missing, faults, len(self.simulated))


Hours = dict[int, HourFacts]  # by the hour's start, ns


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
    found: Hours = {}
    add_to_hours(found, agents, devices)
    counts = {time: hour.counts() for time, hour in found.items()}
    return hour_points(counts, stored, register, school, day, now)


def hour_points(
    counts: Mapping[int, Counts],
    stored: Iterable[Point],
    register: Register,
    school: str,
    day: dt.date,
    now: int,
) -> list[Point]:
    """As `school_hours`, from what each hour of the day counts."""
    known = {point.time: point for point in stored}
    tags = {"school": school, "district": register.district_of(school)}
    start, stop = bounds(day)
    none = Counts()
    return [
        Point("school_hour", tags, _fields(counts.get(at, none), known.get(at), register, at), at)
        for at in range(start, min(stop, now + 1), HOUR)
    ]


def add_to_hours(found: Hours, agents: Iterable[Point], devices: Iterable[Point]) -> None:
    """Add raw points, in any order, each `agent` point once."""
    for point in filter(certain, agents):
        hour, machine = found.setdefault(_hour(point), HourFacts()), point.tags.get("machine", "")
        hour.machines.add(machine)
        hour.reports += 1
        if point.fields.get("simulated") is True:
            hour.simulated.add(machine)
    for point in filter(certain, devices):
        last = found.setdefault(_hour(point), HourFacts()).devices
        key = point.tags.get("machine", ""), point.tags.get("device", "")
        if key not in last or last[key].time <= point.time:
            fields = point.fields
            absent = fields.get("present") is False
            last[key] = _Reading(point.time, absent, bool(text(fields, "fault")))


def _hour(point: Point) -> int:
    return point.time - point.time % HOUR  # the city's offset is whole hours


def _fields(hour: Counts, row: Point | None, register: Register, time: int) -> dict[str, Value]:
    counts: dict[str, int] = dict(zip(_COUNTS, hour, strict=False))
    if row is not None and (number(row.fields, "reports") or 0) > hour.reports:
        counts = {name: number(row.fields, name) or 0 for name in _COUNTS}
    simulated = hour.simulated > 0 or (row is not None and row.fields.get("simulated") is True)
    fields: dict[str, Value] = {**counts, "open": _is_open(register.calendar, time)}
    return fields | ({"simulated": True} if simulated else {})


def _is_open(calendar: Calendar, time: int) -> bool:
    """Whether schools are open in any part of the hour that begins at `time`."""
    begin = local_time(time // 10**9)
    first, last = calendar.hours.open
    end = dt.time.max if begin.hour == 23 else dt.time(begin.hour + 1)
    return calendar.is_open_day(begin.date()) and first < end and begin.time() < last

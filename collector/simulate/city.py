"""Lay out a city: for each school the cases drawn, its register rows, its PCs and lines."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from agent.wire.messages import DeviceKind
from collector.compliance.model import Indicator, Verdict
from collector.roster.register import (
    CalendarRow,
    Campus,
    Equipment,
    Inspection,
    Line,
    Machine,
    Register,
    Room,
    School,
    SchoolClass,
)
from collector.simulate import years
from collector.simulate.cases import LineScript
from collector.simulate.habits import NEEDED, Habit

#: Codes by GB/T 2260; the responsible unit of most schools is the district.
DISTRICTS = {
    "630102": "城东区",
    "630103": "城中区",
    "630104": "城西区",
    "630105": "城北区",
    "630106": "湟中区",
    "630121": "大通回族土族自治县",
    "630123": "湟源县",
}


class _Weighted(Protocol):
    @property
    def weight(self) -> int: ...


_Case = TypeVar("_Case", bound=_Weighted)


@dataclass(frozen=True, slots=True)
class Size:
    """How large the city is, and what of it.

    `every_case`: each situation stands in it at least once, however rare it should be; a city
    smaller than the list of situations holds as many as it can.
    """

    schools: int = 60
    seed: int = 1
    year: int = 2026
    every_case: bool = False


@dataclass(frozen=True, slots=True)
class Gear:
    """A device on a PC: when it is seen, and when it reports a fault."""

    kind: DeviceKind
    connector: str
    maker: str
    model: str
    serial: str
    seen: Habit
    faults: Habit


@dataclass(frozen=True, slots=True)
class Pc:
    """A PC; `room` is empty where nothing binds it."""

    school: str
    room: str
    machine: str
    hostname: str
    days: Habit
    weak: bool = False
    gear: tuple[Gear, ...] = ()


@dataclass(frozen=True, slots=True)
class TestedLine:
    """A line, the PC that tests it, and what its tests give."""

    school: str
    line: str
    machine: str
    script: LineScript


@dataclass(frozen=True, slots=True)
class Expected:
    """The verdict that the method demands of one unit, and the case that demands it."""

    indicator: Indicator
    school: str
    name: str
    verdict: Verdict
    case: str


@dataclass
class City:
    """Register rows, PCs, lines, and the truth. `days` are open days, newest first."""

    size: Size
    cutoff: dt.date
    days: list[dt.date]
    calendar_rows: list[CalendarRow]
    schools: list[School] = field(default_factory=list)
    campuses: list[Campus] = field(default_factory=list)
    line_rows: list[Line] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    classes: list[SchoolClass] = field(default_factory=list)
    equipment: list[Equipment] = field(default_factory=list)
    machines: list[Machine] = field(default_factory=list)
    inspections: list[Inspection] = field(default_factory=list)
    pcs: list[Pc] = field(default_factory=list)
    lines: list[TestedLine] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)

    def register(self) -> Register:
        """The rows as the register that the judging reads."""
        return Register(
            schools={school.code: school for school in self.schools},
            campuses=self.campuses,
            lines=self.line_rows,
            rooms=self.rooms,
            classes=self.classes,
            equipment=self.equipment,
            machines=self.machines,
            inspections=self.inspections,
            calendar=years.calendar(self.calendar_rows),
            areas=DISTRICTS,
        )


def empty(size: Size, cutoff: dt.date, newest: dt.date, days: int) -> City:
    """A city without schools: its calendar, and the open days that evidence is written for.

    `newest` is the last day that may hold evidence, `days` how many calendar days back from
    the cut-off are asked for; the cases need a minimum of open days, which is always kept.
    """
    oldest = cutoff - dt.timedelta(days=days)
    # A year more than asked for: to look for open days where there is no term would not end.
    rows = years.calendar_rows(oldest.year - 1, size.year + 1)
    kept = years.open_days(years.calendar(rows), newest, oldest, NEEDED)
    return City(size, cutoff, kept, rows)


def deck(cases: Sequence[_Case], count: int, rng: random.Random, every: bool) -> list[_Case]:
    """`count` cases by weight, in random order; with `every`, each stands in it if it can."""
    weights = [case.weight for case in cases]
    if not every:
        return rng.choices(cases, weights, k=count)
    drawn = [*cases, *rng.choices(cases, weights, k=max(0, count - len(cases)))]
    rng.shuffle(drawn)
    return drawn[:count]


def machine_id(rng: random.Random) -> str:
    """A machine id like a real one: 32 hex digits."""
    return f"{rng.getrandbits(128):032x}"

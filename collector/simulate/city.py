"""A simulated city: its register rows, PCs, lines and expected verdicts."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from agent.common.calendar import Hours
from agent.wire.messages import DeviceKind
from collector.compliance.model import Indicator, Verdict
from collector.roster.areas import DIRECT, XINING
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
from collector.roster.rows import calendar_of
from collector.simulate import years
from collector.simulate.cases import LineScript
from collector.simulate.habits import NEEDED, Habit

#: District code -> name; the city's own code is not a place.
DISTRICTS = {code: name for code, name in XINING.items() if code != DIRECT}


class _Weighted(Protocol):
    @property
    def weight(self) -> int: ...


_Case = TypeVar("_Case", bound=_Weighted)


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a city, its seed and its year.

    `every_case`: each case occurs at least once, however rare it is; in a city with fewer units
    than cases, as many as fit. `classes`: the fewest and the most of a school.
    """

    schools: int = 60
    seed: int = 1
    year: int = 2026
    every_case: bool = False
    classes: tuple[int, int] = (4, 12)


@dataclass(frozen=True, slots=True)
class Gear:
    """A device of a PC: the days on which it is seen, and on which it has a fault."""

    kind: DeviceKind
    connector: str
    maker: str
    model: str
    serial: str
    seen: Habit
    faults: Habit


@dataclass(frozen=True, slots=True)
class Pc:
    """A PC; `room` is empty if it is bound to none."""

    school: str
    room: str
    machine: str
    hostname: str
    days: Habit
    weak: bool = False
    gear: tuple[Gear, ...] = ()


@dataclass(frozen=True, slots=True)
class TestedLine:
    """A line, the PC that tests it, and the results of its tests."""

    school: str
    line: str
    machine: str
    script: LineScript


@dataclass(frozen=True, slots=True)
class Expected:
    """The verdict that the method requires for one unit, and the case it comes from."""

    indicator: Indicator
    school: str
    name: str
    verdict: Verdict
    case: str


@dataclass
class City:
    """Register rows, PCs, lines and expected verdicts. `days` are open days, newest first."""

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
        """The city's register."""
        return Register(
            schools={school.code: school for school in self.schools},
            campuses=self.campuses,
            lines=self.line_rows,
            rooms=self.rooms,
            classes=self.classes,
            equipment=self.equipment,
            machines=self.machines,
            inspections=self.inspections,
            calendar=calendar_of(self.calendar_rows, Hours()),
            areas=DISTRICTS,
        )


def empty(size: Size, cutoff: dt.date, newest: dt.date, days: int) -> City:
    """A city without schools: its calendar, and the open days that have evidence.

    `newest` is the last day with evidence; `days` calendar days before the cut-off have it, and at
    least as many open days as the cases need.
    """
    oldest = cutoff - dt.timedelta(days=days)
    # A year more than asked for: the search for open days would never end without terms.
    rows = years.calendar_rows(oldest.year - 1, size.year + 1)
    kept = years.open_days(calendar_of(rows, Hours()), newest, oldest, NEEDED)
    return City(size, cutoff, kept, rows)


def deck(cases: Sequence[_Case], count: int, rng: random.Random, every: bool) -> list[_Case]:
    """`count` cases by weight, in random order; with `every`, each at least once if they fit."""
    weights = [case.weight for case in cases]
    if not every:
        return rng.choices(cases, weights, k=count)
    drawn = [*cases, *rng.choices(cases, weights, k=max(0, count - len(cases)))]
    rng.shuffle(drawn)
    return drawn[:count]


def machine_id(rng: random.Random) -> str:
    """A random machine id: 32 hex digits."""
    return f"{rng.getrandbits(128):032x}"

"""The register's rows, and what the rest of the program looks up in it. Pure."""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from agent.common.calendar import Calendar
from collector.roster.layers import Layers

COMPUTER_ROOM, TEACHING_POINT = "计算机教室", "教学点"

_WILD = frozenset("*?[")
_Row = TypeVar("_Row", "Campus", "Line", "Room", "SchoolClass", "Machine", "Inspection")


@dataclass(frozen=True, slots=True)
class School:
    """A school. `responsible` is its responsible unit (区县 or 市直属)."""

    code: str
    name: str
    district: str  # code of the place, as 630102
    type: str  # 小学, 初中, ...
    responsible: str  # code or name of the responsible unit
    opened: dt.date | None = None
    closed: dt.date | None = None
    successor: str = ""
    resource_package: bool | None = None  # of a teaching point; None: not filled in
    teachers: int | None = None  # 专任教师
    teacher_spaces: int | None = None  # how many of them have a network space


@dataclass(frozen=True, slots=True)
class Campus:
    """A campus (校区) of a school."""

    school: str
    campus: str
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """An Internet line of a campus; `contract_mbps` None: unknown."""

    school: str
    line: str
    campus: str
    contract_mbps: float | None = None
    provider: str = ""
    network: str = ""  # the addresses that its tests come from, as CIDR by comma; empty: any


@dataclass(frozen=True, slots=True)
class Room:
    """A room. `line` is always set: if the sheet has none, to the campus's only line."""

    school: str
    campus: str
    room: str
    name: str
    type: str
    seats: int | None = None
    line: str = ""


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """A class (班) and the rooms it is taught in; several for 走班."""

    school: str
    name: str
    rooms: tuple[str, ...] = ()
    start: dt.date | None = None
    end: dt.date | None = None

    def exists_on(self, day: dt.date) -> bool:
        """Whether the class is taught on `day`."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Equipment:
    """Equipment of one kind in a room; a count of 0 means it is known to have none."""

    school: str
    room: str
    kind: str  # computer, or a kind as in the reports
    count: int
    serial: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """Binds PCs to a room, by machine id or by a hostname pattern such as `6-1-*`."""

    school: str
    room: str
    pattern: str


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """Days first to last: `term`, `holiday` or `makeup`."""

    first: dt.date
    last: dt.date
    kind: str
    note: str = ""  # such as the feast's name


@dataclass(frozen=True, slots=True)
class Inspection:
    """An on-site record of one unit: who saw what, and when. Valid for 12 months."""

    school: str
    indicator: str  # code of INDICATORS
    unit: str  # the class's name; empty for the school
    day: dt.date
    inspector: str
    found: bool
    note: str = ""
    id: str = ""  # of the register's book; empty until it is stored there
    threshold_mbps: float | None = None  # the line threshold it was judged by; None: no line
    void: str = ""  # why it no longer counts, or the id that replaced it; empty while it counts
    replaces: str = ""  # the id of the record that it replaces
    entered: dt.datetime | None = None  # when it was stored, which may be long after `day`
    entered_by: str = ""
    voided: dt.datetime | None = None  # when and by whom it was made void
    voided_by: str = ""
    file: str = ""  # name of a form or photo that shows it, kept beside the book by its hash
    file_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision on one PC: bind to the room `target`, retire, or merge into the PC `target`.

    `forget` cancels earlier decisions.
    """

    school: str
    machine: str
    act: str  # bind, retire, merge, forget
    target: str = ""


@dataclass(frozen=True)
class Register:
    """All rows in force. The look-up tables are built at first use."""

    schools: Mapping[str, School]
    campuses: Sequence[Campus] = ()
    lines: Sequence[Line] = ()
    rooms: Sequence[Room] = ()
    classes: Sequence[SchoolClass] = ()
    equipment: Sequence[Equipment] = ()
    machines: Sequence[Machine] = ()
    inspections: Sequence[Inspection] = ()
    calendar: Calendar = field(default_factory=Calendar)
    areas: Mapping[str, str] = field(default_factory=dict)  # district code -> name
    decisions: Sequence[Decision] = ()  # in the order in which they were made
    policies: Layers = field(default_factory=dict)  # by scope, see `collector.roster.policy`

    @cached_property
    def campuses_of(self) -> Mapping[str, list[Campus]]:
        """Campuses by school code."""
        return _by_school(self.campuses)

    @cached_property
    def lines_of(self) -> Mapping[str, list[Line]]:
        """Lines by school code."""
        return _by_school(self.lines)

    @cached_property
    def rooms_of(self) -> Mapping[str, list[Room]]:
        """Rooms by school code."""
        return _by_school(self.rooms)

    @cached_property
    def classes_of(self) -> Mapping[str, list[SchoolClass]]:
        """Classes by school code."""
        return _by_school(self.classes)

    @cached_property
    def machines_of(self) -> Mapping[str, list[Machine]]:
        """Bindings by school code."""
        return _by_school(self.machines)

    @cached_property
    def inspections_of(self) -> Mapping[str, list[Inspection]]:
        """Inspections by school code."""
        return _by_school(self.inspections)

    @cached_property
    def equipment_of(self) -> Mapping[tuple[str, str], list[Equipment]]:
        """Owned equipment by (school code, room)."""
        found: dict[tuple[str, str], list[Equipment]] = defaultdict(list)
        for row in self.equipment:
            found[row.school, row.room].append(row)
        return found

    @cached_property
    def room(self) -> Mapping[tuple[str, str], Room]:
        """A room by (school code, room)."""
        return {(row.school, row.room): row for row in self.rooms}

    @cached_property
    def decided(self) -> Mapping[tuple[str, str], Decision]:
        """The last decision on a PC, by (school code, machine)."""
        last = {(row.school, row.machine): row for row in self.decisions}
        return {key: row for key, row in last.items() if row.act != "forget"}

    def known_as(self, school: str, machine: str) -> str:
        """The machine id that a PC counts under: its own, or that of the PC it was merged into."""
        if (school, machine) not in self.decided:
            return machine  # nearly all
        seen = {machine}
        while (row := self.decided.get((school, machine))) and row.act == "merge":
            if row.target in seen:
                break
            machine = row.target
            seen.add(machine)
        return machine

    def room_for(self, school: str, machine: str, hostname: str, claimed: str = "") -> str:
        """The room of a machine, empty if none.

        In this order: a decision on the PC; the sheets by machine id; the sheets by hostname
        pattern; the room `claimed` in the PC's own config, if the register has that room.
        """
        decided = self.decided.get((school, machine))
        if decided is not None:
            return decided.target if decided.act == "bind" else ""
        rows = self.machines_of.get(school, [])
        for row in rows:
            if row.pattern == machine:
                return row.room
        name = hostname.lower()
        for row in rows:
            if name and _fits(name, row.pattern.lower()):
                return row.room
        return claimed if (school, claimed) in self.room else ""

    def district_of(self, school: str) -> str:
        """The responsible unit of a registered school."""
        return self.schools[school].responsible

    def area_name(self, code: str) -> str:
        """A district's name, or its code if the register has no name."""
        return self.areas.get(code, code)


def _by_school(rows: Sequence[_Row]) -> Mapping[str, list[_Row]]:
    found: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        found[row.school].append(row)
    return found


def _fits(name: str, pattern: str) -> bool:
    """As `fnmatchcase`, which compiles each pattern and keeps 256: a city has thousands."""
    head, star, tail = pattern.partition("*")
    if not (_WILD.isdisjoint(head) and _WILD.isdisjoint(tail)):
        return fnmatch.fnmatchcase(name, pattern)
    if not star:
        return name == pattern
    long_enough = len(name) >= len(head) + len(tail)
    return long_enough and name.startswith(head) and name.endswith(tail)

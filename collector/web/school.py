"""One school: its lines with every test, rooms, PCs, devices, events, and verdicts explained."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agent.common.calendar import CITY_TIME, local_day, midnight_ns
from collector.compliance import evidence
from collector.compliance.figure import Judge
from collector.compliance.lines import Trial, judged_tests
from collector.compliance.model import Figure
from collector.compliance.reader import Reader
from collector.compliance.window import cutoff
from collector.config import Config
from collector.inventory import devices, events, machines
from collector.inventory.devices import Device
from collector.inventory.differences import Difference, differences
from collector.inventory.machines import Pc
from collector.keeper.devices import PICTURES
from collector.keeper.state import rule_for
from collector.roster.register import Line, Register, Room, School
from collector.store import Point, Store

_EVENT_DAYS = 30
TEST_DAYS = 42
DISPLAYS = (*PICTURES, "display", "monitor", "screen")
PIECES = ("computer", "display", "sound")
_BAD = {"fault": 0, "missing": 1, "unknown": 4, "off": 3, "present": 2}
_DAY_NS = 86_400 * 10**9


class LineView(NamedTuple):
    """A line: its row in the register, its last day's numbers, and its tests, oldest first."""

    line: Line
    numbers: Mapping[str, object]
    tests: Sequence[Trial]

    @property
    def refused(self) -> Mapping[str, int]:
        """How many tests do not count, by the code of why, most first."""
        found: dict[str, int] = defaultdict(int)
        for test in self.tests:
            if test.fault:
                found[test.fault] += 1
        return dict(sorted(found.items(), key=lambda item: -item[1]))


class Cell(NamedTuple):
    """A piece of a room as one state: its code, since when in ms, and what it is."""

    state: str  # code of PRESENCES, or fault; empty: none known
    since: int | None = None
    what: str = ""  # codes of the fault, by comma
    number: int = 0  # of devices


class RoomView(NamedTuple):
    """A room with its three pieces."""

    room: Room
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class SchoolView:
    """Everything of one school but its verdicts."""

    school: School
    now_ms: int
    lines: Sequence[LineView]
    rooms: Sequence[RoomView]
    pcs: Sequence[Pc]
    faults: Sequence[Device]
    events: Sequence[Point]
    differences: Sequence[Difference]
    silent_ms: int  # a PC that has not reported for so long is off


def load(
    config: Config, store: Store, register: Register, code: str, now: dt.datetime
) -> SchoolView:
    """Read one school's rows.

    Raises:
        StoreError: the store cannot be read.
        KeyError: the register has no such school.
    """
    school = register.schools[code]
    now_ms = int(now.timestamp() * 1000)
    rule = rule_for(config.report_s)
    stock = devices.load(store, register, now_ms, code, rule)
    pcs = machines.load(store, register, now.astimezone(CITY_TIME).date(), code)
    return SchoolView(
        school=school,
        now_ms=now_ms,
        lines=_lines(store, register, code, now),
        rooms=[
            _room(room, pcs, stock.devices, now_ms, rule.silent)
            for room in register.rooms_of.get(code, ())
        ],
        pcs=pcs,
        faults=devices.faults(stock.devices),
        events=events.load(store, now_ms, _EVENT_DAYS, code),
        differences=differences(stock, register, code),
        silent_ms=rule.silent,
    )


def _lines(store: Store, register: Register, code: str, now: dt.datetime) -> list[LineView]:
    stop = int(now.timestamp() + 86_400) * 10**9
    reader = Reader(store, stop - (TEST_DAYS + 1) * _DAY_NS, stop)
    tags = {"school": (code,)}
    judged = judged_tests(reader.line_tests(tags), reader.line_records(tags), register)
    numbers = _numbers(store, code, now)
    return [
        LineView(line, numbers.get(line.line, {}), judged.get((code, line.line), ()))
        for line in register.lines_of.get(code, ())
    ]


def _numbers(store: Store, code: str, now: dt.datetime) -> dict[str, Mapping[str, object]]:
    """The newest day's row of each line."""
    stop = midnight_ns(local_day(now.timestamp())) + 1
    found = store.read("line_day", stop - _EVENT_DAYS * _DAY_NS, stop, {"school": code})
    return {point.tags.get("line", ""): point.fields for point in found}


def _room(
    room: Room, pcs: Sequence[Pc], found: Sequence[Device], now_ms: int, silent: int
) -> RoomView:
    mine = [pc for pc in pcs if pc.room == room.room and pc.bound_by not in ("retired", "merged")]
    here = [one for one in found if one.room == room.room]
    return RoomView(
        room,
        {
            "computer": _computers(mine, now_ms, silent),
            "display": _worst([one for one in here if one.kind in DISPLAYS]),
            "sound": _worst([one for one in here if one.kind == "sound"]),
        },
    )


def _computers(pcs: Sequence[Pc], now_ms: int, silent: int) -> Cell:
    if not pcs:
        return Cell("")
    last = max(pc.last_ms for pc in pcs)
    on = sum(now_ms - pc.last_ms <= silent for pc in pcs)
    return Cell("present", None, "", on) if on else Cell("off", last, "", len(pcs))


def _worst(found: Sequence[Device]) -> Cell:
    """The device of a room that most needs somebody: by its last known state."""
    if not found:
        return Cell("")
    return min((_cell(one, len(found)) for one in found), key=lambda cell: _BAD[cell.state])


def _cell(one: Device, count: int) -> Cell:
    known = one.last_known
    if known.working == "fault":
        return Cell("fault", known.working_since, known.fault, count)
    if known.presence == "missing":
        return Cell("missing", known.presence_since, "", count)
    return Cell(one.state.presence, one.state.presence_since, "", count)


def explained(
    config: Config,
    store: Store,
    register: Register,
    code: str,
    today: dt.date,
    known: evidence.Shared | None = None,
) -> Figure:
    """The figure of one school alone, as `schoolpulse figure --explain` makes it.

    `known` is what `shared` gave lately: the one part that is read of the whole city.

    Raises:
        StoreError: the store cannot be read.
    """
    rules = config.figure
    judging = Judge(register, rules, config.city, year=today.year, today=today, only=code)
    for _, few in evidence.judged_by_school(
        store, register, rules, judging.cutoff, judging.schools, tracing=judging.tracing,
        known=known,
    ):  # fmt: skip
        judging.add_judged(few)
    return judging.figure(simulated=store.simulated())


def shared(config: Config, store: Store, register: Register, today: dt.date) -> evidence.Shared:
    """The rooms of devices that several rooms ever saw.

    Raises:
        StoreError: the store cannot be read.
    """
    last = cutoff(config.figure, today.year, today)
    return evidence.shared(store, register, config.figure, last)

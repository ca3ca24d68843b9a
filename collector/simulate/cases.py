"""Every situation that a unit can be in, with the verdict that the method requires.

The verdicts are written by hand from the method and never computed. The figure of a simulated city
is tested against them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from collector.compliance.model import Verdict
from collector.simulate.habits import ALWAYS, BEFORE, NEVER, USUALLY, Habit, on

V, N, D = Verdict.VERIFIED, Verdict.INSPECTED, Verdict.DECLARED
C, S, U = Verdict.CONTRADICTED, Verdict.SHORT, Verdict.UNKNOWN

Flaw = Literal["", "unrecorded", "inflated", "wifi", "together", "traffic", "server"]
BUSY = Habit(newest=0, oldest=25)  # throughout the window, up to its newest day
EARLIER = Habit(newest=10, oldest=25)  # in the window, silent since


@dataclass(frozen=True, slots=True)
class Visit:
    """An inspection on the day of `rank`, or `months` before the cut-off."""

    found: bool
    rank: int = 9
    months: int = 0


@dataclass(frozen=True, slots=True)
class LineScript:
    """A line: its contract, and its tests. Rates in Mbit/s on the wire.

    `rate` is exactly the 90th percentile of the valid tests; `old_rate` that of the tests before
    the window, if it differs. `quiet` and `lesson` are tests per day.
    """

    contract: float | None
    rate: float | None = None
    old_rate: float | None = None
    quiet: int = 3
    lesson: int = 1
    days: Habit = ALWAYS
    flaw: Flaw = ""


@dataclass(frozen=True, slots=True)
class LineCase:
    """A school's lines, one per campus."""

    name: str
    verdict: Verdict
    weight: int
    lines: tuple[LineScript, ...]
    visit: Visit | None = None


@dataclass(frozen=True, slots=True)
class PcRoomCase:
    """A school's computer rooms.

    `present`: how many PCs more (or fewer) than ceil(0.8 × seats) report on `days`; None: all.
    `rooms` 0: the register has no computer room. `halves`: half of the PCs report on one day, half
    on another. `bare`: the register has no rooms at all, so its classes are unknown too.
    """

    name: str
    verdict: Verdict
    weight: int
    rooms: int = 1
    days: Habit = NEVER
    present: int | None = None
    weak: bool = False
    halves: bool = False
    bare: bool = False
    visit: Visit | None = None


@dataclass(frozen=True, slots=True)
class ClassCase:
    """Classes and their rooms.

    `owned`: the register's number of displays, None if it has no row. `pc` and `display`: the days
    on which the room's PC reports and on which it sees its display.
    """

    name: str
    verdict: Verdict
    weight: int
    owned: int | None = 1
    pc: Habit = USUALLY
    display: Habit = ALWAYS
    rooms: int = 1
    silent_rooms: int = 0
    classes: int = 1
    fault: bool = False
    visit: Visit | None = None


def _line(contract: float | None, rate: float | None = None) -> tuple[LineScript, ...]:
    return (LineScript(contract, rate),)


def _flawed(flaw: Flaw) -> LineCase:
    return LineCase(f"flaw_{flaw}", D, 1, (LineScript(20, 60.0, flaw=flaw),))


LINES: Sequence[LineCase] = (
    LineCase("fast", V, 16, _line(100, 94.0)),
    LineCase("fibre", V, 10, _line(50, 49.0)),
    LineCase("ten", V, 4, _line(10, 9.9)),
    LineCase("near_above", V, 1, _line(10, 9.8)),
    LineCase("on_the_mark", V, 1, _line(10, 9.7)),
    LineCase("near_below", C, 1, _line(10, 9.6)),
    LineCase("slow", C, 2, _line(20, 6.2)),
    LineCase("better_than_contract", V, 1, _line(4, 19.0)),
    LineCase("adsl", S, 2, _line(4, 3.9)),
    LineCase("adsl_silent", S, 1, _line(4)),
    LineCase("silent", D, 3, _line(20)),
    LineCase("nothing_known", U, 2, _line(None)),
    LineCase("no_contract", V, 1, _line(None, 18.0)),
    LineCase("no_contract_slow", S, 1, _line(None, 5.0)),
    LineCase("lessons_prove", V, 1, (LineScript(10, 12.0, quiet=0, lesson=2),)),
    LineCase("lessons_cannot_disprove", D, 1, (LineScript(10, 5.0, quiet=0, lesson=2),)),
    LineCase(
        "nine_tests", D, 1,
        (LineScript(10, 12.0, quiet=1, lesson=0, days=on(1, 2, 4, 5, 8, 9, 12, 13, 16)),),
    ),
    LineCase(
        "ten_tests_five_days", V, 1,
        (LineScript(10, 12.0, quiet=2, lesson=0, days=on(1, 4, 8, 12, 16)),),
    ),
    LineCase(
        "twelve_tests_four_days", D, 1,
        (LineScript(10, 12.0, quiet=3, lesson=0, days=on(1, 4, 8, 12)),),
    ),
    *(_flawed(flaw) for flaw in (
        "unrecorded", "inflated", "wifi", "together", "traffic", "server"
    )),
    LineCase("two_campuses", V, 2, (LineScript(20, 19.8), LineScript(50, 48.0))),
    LineCase("one_campus_slow", C, 1, (LineScript(20, 19.8), LineScript(20, 6.0))),
    LineCase("one_campus_silent", D, 1, (LineScript(20, 19.8), LineScript(20))),
    LineCase("inspected", N, 1, _line(20), Visit(True)),
    LineCase("inspected_no", C, 1, _line(20), Visit(False)),
    LineCase("inspected_long_ago", D, 1, _line(20), Visit(True, months=14)),
    LineCase("slow_then_silent", C, 1, (LineScript(20, 6.0, days=BEFORE),)),
    LineCase("repaired", V, 1, (LineScript(20, 19.6, old_rate=6.0),)),
    LineCase("slow_then_inspected", N, 1, (LineScript(20, 6.0, days=EARLIER),), Visit(True, 2)),
    LineCase("inspected_then_slow", C, 1, (LineScript(20, 6.0, days=BUSY),), Visit(True, 30)),
)  # fmt: skip

PC_ROOMS: Sequence[PcRoomCase] = (
    PcRoomCase("full", V, 24, days=USUALLY),
    PcRoomCase("two_rooms", V, 2, rooms=2, days=USUALLY),
    PcRoomCase("exactly_enough", V, 2, days=on(6), present=0),
    PcRoomCase("one_too_few", D, 2, days=USUALLY, present=-1),
    PcRoomCase("halves_on_different_days", D, 1, days=ALWAYS, halves=True),
    PcRoomCase("halves_in_two_rooms", D, 1, rooms=2, days=ALWAYS, present=-8),
    PcRoomCase("weak_ids", D, 1, days=USUALLY, weak=True),
    PcRoomCase("silent", D, 3),
    PcRoomCase("silent_since", D, 1, days=BEFORE),
    PcRoomCase("none", S, 3, rooms=0),
    PcRoomCase("nothing_known", U, 1, rooms=0, bare=True),
    PcRoomCase("none_but_inspected", N, 1, rooms=0, visit=Visit(True)),
    PcRoomCase("inspected", N, 1, visit=Visit(True)),
    PcRoomCase("inspected_no", C, 1, visit=Visit(False)),
    PcRoomCase("inspected_long_ago", D, 1, visit=Visit(True, months=14)),
)

CLASSES: Sequence[ClassCase] = (
    ClassCase("equipped", V, 60),
    ClassCase("three_days", V, 1, pc=on(1, 6, 12)),
    ClassCase("two_days", D, 1, pc=on(1, 6)),
    ClassCase("display_seldom", V, 1, display=on(2, 5, 8)),
    ClassCase("display_gone", C, 1, display=Habit(newest=10)),
    ClassCase("display_fault", V, 1, fault=True),
    ClassCase("no_display", C, 2, display=NEVER),
    ClassCase("none_owned_none_seen", S, 1, owned=0, display=NEVER),
    ClassCase("none_owned_but_seen", V, 1, owned=0),
    ClassCase("silent", D, 4, pc=NEVER),
    ClassCase("silent_since", D, 1, pc=BEFORE),
    ClassCase("silent_none_owned", S, 2, owned=0, pc=NEVER),
    ClassCase("nothing_known", U, 2, owned=None, pc=NEVER),
    ClassCase("no_display_then_silent", C, 1, pc=BEFORE, display=NEVER),
    ClassCase("shared_room", V, 1, classes=2),
    ClassCase("two_rooms", V, 1, rooms=2),
    ClassCase("two_rooms_one_silent", D, 1, rooms=2, silent_rooms=1),
    ClassCase("inspected", N, 1, pc=NEVER, visit=Visit(True)),
    ClassCase("inspected_no", C, 1, pc=NEVER, visit=Visit(False)),
    ClassCase("inspected_long_ago", D, 1, pc=NEVER, visit=Visit(True, months=14)),
)

#: The case of every class of a bare school.
ROOMLESS = ClassCase("no_room", U, 0, owned=None, pc=NEVER, rooms=0)

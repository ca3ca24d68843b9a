"""Lays out classes and their rooms, each with a PC and a display."""

from __future__ import annotations

import random

from agent.wire.messages import DeviceKind
from collector.roster.register import Equipment, Machine, Room, School, SchoolClass
from collector.simulate.cases import ClassCase
from collector.simulate.city import City, Gear, Pc, machine_id
from collector.simulate.habits import ALWAYS, NEVER, Habit

_DISPLAYS: tuple[tuple[DeviceKind, str, str], ...] = (
    ("projector", "EPS", "EPSON PJ"),
    ("projector", "BNQ", "BenQ MX5"),
    ("panel", "SEE", "Seewo F65"),
    ("tv", "HIS", "Hisense 65"),
)
_FAULT_DAYS = frozenset({4, 9, 10})
_GRADES = "一二三四五六七八九"
_A_GRADE = 4


def lay(city: City, school: School, case: ClassCase, rng: random.Random) -> list[str]:
    """Add the rooms and classes of one case; returns the names of the classes."""
    first = sum(1 for row in city.rooms if row.school == school.code and row.type == "普通教室")
    rooms = [f"教室{first + number + 1:02d}" for number in range(case.rooms)]
    for number, room in enumerate(rooms):
        silent = number >= case.rooms - case.silent_rooms
        _room(city, school, case, room, NEVER if silent else case.pc, rng)
    before = sum(1 for row in city.classes if row.school == school.code)
    names = [_name(before + number) for number in range(case.classes)]
    city.classes += [SchoolClass(school.code, name, tuple(rooms)) for name in names]
    return names


def _name(number: int) -> str:
    return f"{_GRADES[number // _A_GRADE % len(_GRADES)]}年级{number % _A_GRADE + 1}班"


def _room(
    city: City, school: School, case: ClassCase, room: str, pc: Habit, rng: random.Random
) -> None:
    # Campuses take turns: only a campus with classes counts for the school's line.
    lines = [row for row in city.line_rows if row.school == school.code]
    line = lines[sum(1 for row in city.rooms if row.school == school.code) % len(lines)]
    city.rooms.append(Room(school.code, line.campus, room, room, "普通教室", None, line.line))
    kind, maker, model = rng.choice(_DISPLAYS)
    if case.owned is not None:
        city.equipment.append(Equipment(school.code, room, "computer", 1))
        city.equipment.append(Equipment(school.code, room, kind, case.owned))
    hostname = f"{room.removeprefix('教室')}-pc"
    city.machines.append(Machine(school.code, room, hostname))
    if pc is not NEVER:
        faults = Habit(only=_FAULT_DAYS) if case.fault else NEVER
        serial = f"SIM{rng.getrandbits(32):08X}"
        display = Gear(kind, "HDMI-1", maker, model, serial, case.display, faults)
        sound = Gear("sound", "hw:0", "", "Built-in Audio", "", ALWAYS, NEVER)
        monitor = Gear("monitor", "VGA-1", "AOC", "22V", "", ALWAYS, NEVER)
        machine = machine_id(rng)
        gear = (display, sound, monitor)
        city.pcs.append(Pc(school.code, room, machine, hostname, pc, False, gear))

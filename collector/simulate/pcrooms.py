"""Lays out a school's computer rooms and their PCs."""

from __future__ import annotations

import math
import random

from collector.roster.register import COMPUTER_ROOM, Equipment, Machine, Room, School
from collector.simulate.cases import PcRoomCase
from collector.simulate.city import City, Pc, machine_id
from collector.simulate.habits import NEVER, Habit

_SEATS = (20, 24, 30, 36, 40)
_ENOUGH = 4, 5  # 0.8 as a fraction, so that ceil(0.8 * 30) has no rounding error
_EVEN = Habit(only=frozenset(range(0, 400, 2)))
_ODD = Habit(only=frozenset(range(1, 400, 2)))


def enough(seats: int) -> int:
    """How many PCs a room with this many seats needs to count: ceil(0.8 × seats)."""
    return math.ceil(seats * _ENOUGH[0] / _ENOUGH[1])


def lay(city: City, school: School, case: PcRoomCase, rng: random.Random) -> None:
    """Add the rooms, their equipment and their PCs."""
    for number in range(case.rooms):
        seats, room = rng.choice(_SEATS), f"机房{number + 1}"
        line = next(row.line for row in city.line_rows if row.school == school.code)
        city.rooms.append(
            Room(school.code, "本部", room, f"计算机教室{number + 1}", COMPUTER_ROOM, seats, line)
        )
        city.equipment.append(Equipment(school.code, room, "computer", seats))
        city.machines.append(Machine(school.code, room, f"jf{number + 1}-*"))
        for seat in range(seats):
            city.pcs.append(_pc(school, case, room, number, seat, seats, rng))


def _pc(
    school: School, case: PcRoomCase, room: str, number: int, seat: int, seats: int,
    rng: random.Random,
) -> Pc:  # fmt: skip
    hostname = f"jf{number + 1}-{seat + 1:02d}"
    days = _days(case, seat, seats)
    return Pc(school.code, room, machine_id(rng), hostname, days, case.weak)


def _days(case: PcRoomCase, seat: int, seats: int) -> Habit:
    if case.halves:
        return _EVEN if seat < seats // 2 else _ODD
    if case.present is not None and seat >= enough(seats) + case.present:
        return NEVER
    return case.days

"""Writes the sample register: `python -m collector.roster.sample.make DIR`.

Schools, addresses, coordinates, contracts and term dates are invented. Holidays and make-up
days of 2026 are those of the State Council's notice of 4 November 2025; make-up days that
fall into the winter holiday are left out, as schools stay closed on them.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from collector.roster.areas import DIRECT, XINING
from collector.roster.register import (
    COMPUTER_ROOM,
    CalendarRow,
    Campus,
    Equipment,
    Line,
    Machine,
    Room,
    School,
    SchoolClass,
)
from collector.roster.rows import Rows
from collector.roster.sheets import write_folder


class _Plan(NamedTuple):
    """A school in one row; `contracts` are the rates of its lines, in Mbit/s."""

    name: str
    type: str
    contracts: tuple[float | None, ...] = (100.0,)
    classes: int = 6  # in all; grades share them in turn
    seats: int = 45  # of the computer room; 0: it has none
    direct: bool = False


#: By district code, with the coordinates around which its campuses are.
_CITY: dict[str, tuple[float, float, tuple[_Plan, ...]]] = {
    "630102": (36.600, 101.820, (
        _Plan("小学一", "小学", (500, 100), 12, 50),
        _Plan("小学二", "小学", (100,), 6, 45),
        _Plan("初中", "初中", (200,), 9, 50),
        _Plan("九年一贯制学校", "九年一贯制", (100,), 9, 48),
    )),
    "630103": (36.612, 101.775, (
        _Plan("小学", "小学", (100,), 12, 50),
        _Plan("初中", "初中", (100,), 6, 45),
        _Plan("完全中学", "完全中学", (1000, 200), 12, 56, direct=True),
    )),
    "630104": (36.630, 101.745, (
        _Plan("小学一", "小学", (200,), 12, 50),
        _Plan("小学二", "小学", (50,), 6, 45),
        _Plan("九年一贯制学校", "九年一贯制", (100,), 9, 50),
        _Plan("高中", "高中", (1000,), 12, 56, direct=True),
    )),
    "630105": (36.660, 101.755, (
        _Plan("小学", "小学", (20,), 6, 45),
        _Plan("初中", "初中", (100,), 6, 48),
        _Plan("完全中学", "完全中学", (200,), 12, 50),
    )),
    "630106": (36.500, 101.570, (
        _Plan("小学一", "小学", (20,), 6, 40),
        _Plan("小学二", "小学", (8,), 6, 30),
        _Plan("初中", "初中", (50,), 6, 45),
        _Plan("高中", "高中", (200,), 9, 50),
        _Plan("教学点", "教学点", (4,), 2, 0),
    )),
    "630121": (36.930, 101.680, (
        _Plan("小学一", "小学", (10,), 6, 40),
        _Plan("小学二", "小学", (4,), 6, 0),
        _Plan("初中", "初中", (50,), 6, 45),
        _Plan("九年一贯制学校", "九年一贯制", (None,), 9, 40),
        _Plan("教学点", "教学点", (0,), 2, 0),
    )),
    "630123": (36.685, 101.260, (
        _Plan("小学", "小学", (10,), 6, 36),
        _Plan("完全中学", "完全中学", (100,), 9, 50),
        _Plan("教学点", "教学点", (8,), 2, 0),
    )),
}  # fmt: skip
_GRADES = {
    "小学": "一二三四五六", "初中": "七八九", "九年一贯制": "一二三四五六七八九",
    "完全中学": ("七", "八", "九", "高一", "高二", "高三"), "高中": ("高一", "高二", "高三"),
    "教学点": "一二",
}  # fmt: skip
_DISPLAYS = ("panel", "projector", "panel", "tv", "projector")
_SHORT_NAMES = {"大通回族土族自治县": "大通县"}
#: Two campuses of their own lines; one campus that shares two lines.
_TWO_CAMPUSES, _TWO_LINES = "9963020001", "9963030003"
_NO_ROOM, _WALKING = "9963060002", "9963040004"
_MERGED = School(
    "9963210006", "大通县示例小学三（已撤并）", "630121", "小学", "630121",
    dt.date(1998, 9, 1), dt.date(2026, 7, 31), "9963210001",
)  # fmt: skip


def rows() -> Rows:
    """The sample register's rows."""
    places = list(_places())
    rooms = {place.code: list(_rooms(place)) for place in places}
    all_rooms = [(place, room) for place in places for room in rooms[place.code]]
    merged = Campus(_MERGED.code, "本部", "大通县示例路 6 号", 36.951, 101.702)
    return Rows(
        schools=(*map(_head, places), _MERGED),
        campuses=(*(row for place in places for row in _campuses(place)), merged),
        lines=tuple(row for place in places for row in _lines(place)),
        rooms=tuple(room for _, room in all_rooms),
        classes=tuple(row for place in places for row in _classes(place, rooms[place.code])),
        equipment=tuple(row for place, room in all_rooms for row in _equipment(place, room)),
        machines=tuple(_machine(place, room) for place, room in all_rooms),
        calendar=calendar(),
    )


def calendar() -> tuple[CalendarRow, ...]:
    """2026 with the terms that touch it."""
    rows = (
        ("2025-09-01", "2026-01-09", "term", "示例学期，以教育局校历为准"),
        ("2026-03-02", "2026-07-10", "term", "示例学期，以教育局校历为准"),
        ("2026-08-31", "2027-01-15", "term", "示例学期，以教育局校历为准"),
        ("2026-01-01", "2026-01-03", "holiday", "元旦"),
        ("2026-02-15", "2026-02-23", "holiday", "春节"),
        ("2026-04-04", "2026-04-06", "holiday", "清明节"),
        ("2026-05-01", "2026-05-05", "holiday", "劳动节"),
        ("2026-06-19", "2026-06-21", "holiday", "端午节"),
        ("2026-09-25", "2026-09-27", "holiday", "中秋节"),
        ("2026-10-01", "2026-10-07", "holiday", "国庆节"),
        ("2027-01-01", "2027-01-01", "holiday", "元旦（示例，以当年通知为准）"),
        ("2026-01-04", "2026-01-04", "makeup", "元旦调休"),
        ("2026-05-09", "2026-05-09", "makeup", "劳动节调休"),
        ("2026-09-20", "2026-09-20", "makeup", "国庆节调休"),
        ("2026-10-10", "2026-10-10", "makeup", "国庆节调休"),
    )
    day = dt.date.fromisoformat
    return tuple(CalendarRow(day(first), day(last), kind, note) for first, last, kind, note in rows)


class _Place(NamedTuple):
    """A school's plan with its code and location."""

    plan: _Plan
    code: str
    district: str
    latitude: float
    longitude: float
    number: int

    @property
    def short(self) -> str:
        return _SHORT_NAMES.get(XINING[self.district], XINING[self.district])

    @property
    def campuses(self) -> tuple[str, ...]:
        return ("本部", "东校区") if self.code == _TWO_CAMPUSES else ("本部",)

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(f"line{number}" for number in range(1, len(self.plan.contracts) + 1))


def _places() -> Iterator[_Place]:
    for district, (latitude, longitude, plans) in _CITY.items():
        for number, plan in enumerate(plans, start=1):
            code = f"9963{district[4:]}{number:04d}"
            north, east = round(latitude + 0.007 * number, 4), round(longitude + 0.005 * number, 4)
            yield _Place(plan, code, district, north, east, number)


def _head(place: _Place) -> School:
    responsible = DIRECT if place.plan.direct else place.district
    name = f"{place.short}示例{place.plan.name}"
    opened = dt.date(1990 + place.number, 9, 1)
    return School(place.code, name, place.district, place.plan.type, responsible, opened)


def _campuses(place: _Place) -> Iterator[Campus]:
    for number, campus in enumerate(place.campuses):
        address = f"{place.short}示例路 {place.number} 号" + ("（东）" if number else "")
        longitude = round(place.longitude + 0.008 * number, 4)
        yield Campus(place.code, campus, address, place.latitude, longitude)


def _lines(place: _Place) -> Iterator[Line]:
    for number, contract in enumerate(place.plan.contracts):
        campus = place.campuses[number % len(place.campuses)]
        yield Line(place.code, place.lines[number], campus, contract, "示例运营商")


def _rooms(place: _Place) -> Iterator[Room]:
    """A room per class, three per floor, and a computer room."""
    plan = place.plan
    for number in range(plan.classes):
        which = number * len(place.lines) // plan.classes
        campus = place.campuses[which % len(place.campuses)]
        room = f"{number // 3 + 1}{number % 3 + 1:02d}"
        name = f"{room} 教室"
        yield Room(place.code, campus, room, name, "普通教室", plan.seats or 20, place.lines[which])
    if plan.seats:
        name, line = "计算机教室一", place.lines[0]
        yield Room(place.code, "本部", "C01", name, COMPUTER_ROOM, plan.seats, line)


def _classes(place: _Place, rooms: list[Room]) -> Iterator[SchoolClass]:
    grades = _GRADES[place.plan.type]
    for number in range(place.plan.classes):
        grade, own = grades[number % len(grades)], number // len(grades) + 1
        yield SchoolClass(place.code, f"{grade}（{own}）班", _taught_in(place, rooms, number))


def _taught_in(place: _Place, rooms: list[Room], number: int) -> tuple[str, ...]:
    last = number == place.plan.classes - 1
    if last and place.code == _WALKING:
        return tuple(room.room for room in rooms[number - 2 : number + 1])
    return () if last and place.code == _NO_ROOM else (rooms[number].room,)


def _equipment(place: _Place, room: Room) -> Iterator[Equipment]:
    if room.type == COMPUTER_ROOM:
        yield Equipment(place.code, room.room, "computer", room.seats or 0)
        return
    yield Equipment(place.code, room.room, "computer", 1)
    kind = _DISPLAYS[(place.number + int(room.room)) % len(_DISPLAYS)]
    # The schools with the slowest lines register no display in their last room.
    poor = (place.plan.contracts[0] or 0) < 10 and room.room in {"102", "203"}
    yield Equipment(place.code, room.room, kind, 0 if poor else 1)
    yield Equipment(place.code, room.room, "sound", 1)


def _machine(place: _Place, room: Room) -> Machine:
    """Hostnames of at most 15 characters, the limit of Windows: E020001-101-01."""
    return Machine(place.code, room.room, f"E{place.code[4:]}-{room.room}-*")


if __name__ == "__main__":
    for file in write_folder(rows(), Path(sys.argv[1])):
        print(file)

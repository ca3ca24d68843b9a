"""A register of as many schools as wanted, 20 classes and a computer room each."""

from __future__ import annotations

import datetime as dt

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

_DISTRICTS = sorted(set(XINING) - {DIRECT})
_CLASSES = 20


def city_rows(schools: int) -> Rows:
    """Rows such as a city of that size keeps: 21 rooms and 61 rows of equipment a school."""
    codes = [f"9963{number:06d}" for number in range(1, schools + 1)]
    rooms = [f"{number // 5 + 1}{number % 5 + 1:02d}" for number in range(_CLASSES)]
    places = [(code, room) for code in codes for room in rooms]
    return Rows(
        schools=tuple(_school(code, at) for at, code in enumerate(codes)),
        campuses=tuple(_campus(code, at) for at, code in enumerate(codes)),
        lines=tuple(Line(code, "line1", "本部", 100.0, "示例运营商") for code in codes),
        rooms=(
            *(Room(c, "本部", r, f"{r} 教室", "普通教室", 45, "line1") for c, r in places),
            *(Room(c, "本部", "C01", "机房", COMPUTER_ROOM, 50, "line1") for c in codes),
        ),
        classes=tuple(
            SchoolClass(c, f"{number // 5 + 1}年级（{number % 5 + 1}）班", (rooms[number],))
            for c in codes
            for number in range(_CLASSES)
        ),
        equipment=(
            *(Equipment(c, r, k, 1) for c, r in places for k in ("computer", "panel", "sound")),
            *(Equipment(c, "C01", "computer", 50) for c in codes),
        ),
        machines=tuple(Machine(c, r, f"E{c[4:]}-{r}-*") for c, r in places),
        calendar=(CalendarRow(dt.date(2026, 8, 31), dt.date(2027, 1, 15), "term"),),
    )


def _school(code: str, at: int) -> School:
    district = _DISTRICTS[at % len(_DISTRICTS)]
    opened = dt.date(1950 + at % 70, 9, 1)
    return School(code, f"示例第{at + 1}小学", district, "小学", district, opened)


def _campus(code: str, at: int) -> Campus:
    north = 36.5 + at % len(_DISTRICTS) / 100
    return Campus(code, "本部", f"示例路 {at + 1} 号", north, 101.7)

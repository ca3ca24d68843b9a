"""What a form asks of one school, from the register. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.common.language import say
from agent.common.vocabulary.devices import KINDS
from agent.common.vocabulary.indicators import SHORT
from agent.common.vocabulary.thresholds import label, number
from collector.roster.book.ids import inspection_id, inspection_number
from collector.roster.register import COMPUTER_ROOM, Line, Register, Room, School


@dataclass(frozen=True, slots=True)
class Row:
    """One question: the indicator in words, the class or empty, where, what the register says."""

    indicator: str
    unit: str
    room: str
    says: str


@dataclass(frozen=True, slots=True)
class Form:
    """One school's questions, and the number that names school and register."""

    school: School
    number: str
    rows: Sequence[Row]


def form_of(
    register: Register, school: School, made_from: int, threshold: float, day: dt.date
) -> Form:
    """The form of a school as of `day`.

    `made_from` is the number of the import in force, `threshold` that of a line in Mbit/s.
    """
    rows = [*_of_school(register, school, threshold), *_of_classes(register, school, day)]
    return Form(school, form_number(school.code, made_from), rows)


def form_number(school: str, made_from: int) -> str:
    """What names a form: its school, and the import that it was made from."""
    return f"{school}-{inspection_id(made_from)}"


def parts_of(form: str) -> tuple[str, int] | None:
    """School and import of a form's number; None if it is none, or has a slip."""
    school, _, rest = form.partition("-")
    made_from = inspection_number(rest)
    return None if made_from is None else (school, made_from)


def _of_school(register: Register, school: School, threshold: float) -> Iterator[Row]:
    rooms = [row for row in register.rooms_of.get(school.code, ()) if row.type == COMPUTER_ROOM]
    none = say("没有登记计算机教室", "no computer room registered")
    listed = say("；", "; ").join(map(_room, rooms)) or none
    yield Row(say(*SHORT["computer_room"]), "", "", listed)
    lines = register.lines_of.get(school.code, ())
    several = len(register.campuses_of.get(school.code, ())) > 1
    contracts = say("；", "; ").join(_line(row, several=several) for row in lines)
    name = say(f"{SHORT['line'].zh}（{label(threshold)} 以上）",
               f"{SHORT['line'].en} ({label(threshold)} or more)")  # fmt: skip
    yield Row(name, "", "", contracts or say("没有登记线路", "no line registered"))


def _of_classes(register: Register, school: School, day: dt.date) -> Iterator[Row]:
    for row in register.classes_of.get(school.code, ()):
        if row.exists_on(day):
            says = say("；", "; ").join(_equipment(register, school, room) for room in row.rooms)
            none = say("没有登记教室", "no room registered")
            rooms = say("、", ", ").join(row.rooms)
            yield Row(say(*SHORT["multimedia"]), row.name, rooms, says or none)


def _room(row: Room) -> str:
    name = row.room if row.name in ("", row.room) else f"{row.room} {row.name}"
    seats = say("座位数未填", "seats unknown")
    if row.seats is not None:
        seats = say(f"{row.seats} 座", f"{row.seats} seats")
    return say(f"{name}（{seats}）", f"{name} ({seats})")


def _line(row: Line, *, several: bool) -> str:
    rate = say("带宽未填", "rate unknown")
    if row.contract_mbps is not None:
        rate = say(f"合同 {number(row.contract_mbps)} 兆", f"{number(row.contract_mbps)} Mbit/s")
    where = f"{row.campus} " if several else ""
    return f"{where}{row.line} {rate}"


def _equipment(register: Register, school: School, room: str) -> str:
    owned = [
        f"{say(*KINDS[row.kind]) if row.kind in KINDS else row.kind} {row.count}"
        for row in register.equipment_of.get((school.code, room), ())
    ]
    return say("，", ", ").join(owned) or say("没有登记设备", "no equipment registered")

"""学校计算机教室配备率: one unit is a school. Pure.

Telemetry never denies a computer room: a PC that is off is not a missing one. It shows one if at
least ceil(0.8 × seats) PCs of one room reported in one same hour of one day (`RoomDay.together`).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence

from collector.compliance.model import Step, Unit
from collector.compliance.rooms import SILENT, RoomDays, Rooms
from collector.compliance.shares import exact
from collector.compliance.verdicts import Declared, Finding, decide
from collector.compliance.window import Windows
from collector.compliance.words import named
from collector.config import Figure as Settings
from collector.roster.register import COMPUTER_ROOM, Register, Room, School

#: A computer room with fewer seats is listed, as hardly a class fits into it.
FEW_SEATS = 10


def judge(
    register: Register,
    school: School,
    rooms: Rooms,
    windows: Windows,
    settings: Settings,
    cutoff: dt.date,
) -> Unit:
    """A school's verdict: met if one of its computer rooms had enough PCs on in a single hour."""
    owned = computer_rooms(register, school.code)
    first = windows.first(cutoff, school.opened)
    finding = _finding(owned, rooms, settings, first)
    says = _declared(register, school.code, owned, settings)
    inspections = [
        row
        for row in register.inspections_of.get(school.code, ())
        if row.indicator == "computer_room"
    ]
    verdict, steps = decide(finding, inspections, says, cutoff, settings.inspection_months)
    district = register.district_of(school.code)
    return Unit(
        "computer_room", school.code, district, school.name, verdict, steps, finding.simulated
    )


def computer_rooms(register: Register, school: str) -> list[Room]:
    """The school's rooms of type 计算机教室."""
    return [room for room in register.rooms_of.get(school, ()) if room.type == COMPUTER_ROOM]


def with_few_seats(register: Register, schools: Iterable[School]) -> list[Room]:
    """The computer rooms of these schools with under `FEW_SEATS` registered seats, but any."""
    rooms = (room for school in schools for room in computer_rooms(register, school.code))
    return [room for room in rooms if room.seats and room.seats < FEW_SEATS]


def needed(room: Room, settings: Settings) -> int | None:
    """How many distinct PCs prove the room; None if its seats are unknown or too few."""
    seats = room.seats or 0
    if seats <= 0 or (settings.min_seats is not None and seats < settings.min_seats):
        return None
    return math.ceil(exact(settings.seats_share) * seats)


def _finding(owned: Sequence[Room], rooms: Rooms, settings: Settings, first: dt.date) -> Finding:
    shown: list[dt.date] = []
    steps = []
    simulated = False
    for room in owned:
        history = rooms.get((room.school, room.room), SILENT)
        simulated |= history.simulated
        pcs = needed(room, settings)
        shown += _days_with(history, pcs)
        steps.append(_room_step(room, history, pcs, first))
    newest = max(shown, default=None)
    if newest and newest >= first:
        return Finding(yes=newest, steps=tuple(steps), simulated=simulated)
    return Finding(cleared=newest, steps=tuple(steps), simulated=simulated)


def _days_with(history: RoomDays, pcs: int | None) -> list[dt.date]:
    if pcs is None:
        return []
    return [day for day, seen in zip(history.days, history.together, strict=True) if seen >= pcs]


def _declared(
    register: Register, school: str, owned: Sequence[Room], settings: Settings
) -> Declared:
    says = [_room_says(register, room, settings) for room in owned]
    if any(says):
        zh, en, said = f"登记有{COMPUTER_ROOM}", "lists a computer room", True
    elif not register.rooms_of.get(school) or any(word is None for word in says):
        zh, en, said = "没有足够的登记可以判断", "does not say enough", None
    else:
        zh, en = f"登记的教室中没有合格的{COMPUTER_ROOM}", "lists rooms, no computer room"
        said = False
    numbers = {"rooms": len(owned), "says": said}
    return Declared(said, (Step("register", f"台账：{zh}", f"Register: {en}", numbers),))


def _room_says(register: Register, room: Room, settings: Settings) -> bool | None:
    counts = [
        row.count
        for row in register.equipment_of.get((room.school, room.room), ())
        if row.kind == "computer"
    ]
    if counts and not any(counts):
        return False
    if room.seats is None:
        return None if settings.min_seats is not None else True
    return needed(room, settings) is not None


def _room_step(room: Room, history: RoomDays, pcs: int | None, first: dt.date) -> Step:
    rows = list(zip(history.together, history.days, strict=True))
    window = [row for row in rows if row[1] >= first]
    best, day = max(window, default=(0, None))
    met = max(_days_with(history, pcs), default=None)
    seen = max((count for count, on in rows if on == met), default=None)
    numbers = {
        "room": room.room,
        "seats": room.seats,
        "few_seats": bool(room.seats and room.seats < FEW_SEATS),
        "pcs_needed": pcs,
        "days_reported": len(window),
        "most_pcs": best,
        "most_pcs_day": day.isoformat() if day else None,
        "last_met_day": met.isoformat() if met else None,
        "last_met_pcs": seen,
    }
    zh, en = _asked(room, pcs)
    zh += f"；窗口内最多同时 {best} 台" + (f"（{day}）" if day else "")
    en += f"; at most {best} in the window" + (f" ({day})" if day else "")
    if met:
        zh += f"；最近一次达到：{met}，{seen} 台"
        en += f"; last reached on {met} with {seen}"
    return Step("computer_room", zh, en, numbers)


def _asked(room: Room, pcs: int | None) -> tuple[str, str]:
    seats = None if room.seats is None else str(room.seats)
    zh = f"{named(COMPUTER_ROOM, room.room)}：登记座位 {seats or '未填'}"
    en = f"Computer room {room.room}: {seats or 'no'} seats registered"
    if pcs is None:
        return f"{zh}，无法据此核实", f"{en}; nothing can prove it"
    return f"{zh}，同一小时内至少需要 {pcs} 台同时在线", f"{en}, {pcs} PCs needed in one same hour"

"""This machine's school in the demo: an example school with real telemetry."""

from __future__ import annotations

import socket

from collector.roster.register import (
    Campus,
    Equipment,
    Line,
    Machine,
    Room,
    School,
    SchoolClass,
)
from collector.roster.rows import Rows
from collector.simulate.city import City

CODE, NAME = "9900000001", "示例学校（本机）"
ROOM, LINE = "示例教室", "本机回环"
_DISTRICT, _CAMPUS = "630102", "本部"


def alone(code: str = CODE, name: str = NAME) -> Rows:
    """A school by itself, with nothing claimed of it: no class, equipment or contract."""
    return Rows(
        schools=(School(code, name, _DISTRICT, "小学", _DISTRICT),),
        campuses=(Campus(code, _CAMPUS),),
        lines=(Line(code, LINE, _CAMPUS),),
        rooms=(Room(code, _CAMPUS, ROOM, ROOM, "普通教室", None, LINE),),
        machines=(Machine(code, ROOM, socket.gethostname()),),
    )


def add_to(city: City) -> None:
    """Add the school, its line, and a room to which this machine's host name is bound."""
    city.schools.append(School(CODE, NAME, _DISTRICT, "小学", _DISTRICT))
    city.campuses.append(Campus(CODE, _CAMPUS))
    city.line_rows.append(Line(CODE, LINE, _CAMPUS, 100.0, "示例"))
    city.rooms.append(Room(CODE, _CAMPUS, ROOM, ROOM, "普通教室", None, LINE))
    city.classes.append(SchoolClass(CODE, "一年级1班", (ROOM,)))
    city.equipment += [Equipment(CODE, ROOM, kind, 1) for kind in ("computer", "projector")]
    city.machines.append(Machine(CODE, ROOM, socket.gethostname()))

"""A school day of a city for the keeper: what its PCs report until a time of day, and after it.

Every PC reports every `report_s` from when it was switched on; a report is the agent's point, the
host's and four devices'. One device in some thousand reports fails or is unplugged for a while.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from typing import NamedTuple

from collector.keeper.midnight import midnight
from collector.roster.register import Campus, Equipment, Line, Machine, Register, Room, School
from collector.store.base import Point, Value

DAY = dt.date(2026, 3, 2)
S = 10**9
ROOMS = 17  # classrooms of a school; the other half of its PCs stands in a computer room
_KINDS = (("projector", "HDMI-1"), ("sound", "card0"), ("camera", "usb1"), ("monitor", "DP-1"))
_MODELS = {"projector": ("EPSON", "EPSON PJ"), "monitor": ("DEL", "P2419H")}


class City(NamedTuple):
    """How many schools, PCs of each, and how often they report, s."""

    schools: int
    pcs: int = 34
    report_s: int = 300
    day: dt.date = DAY

    @property
    def codes(self) -> list[str]:
        """The schools' codes."""
        return [f"99000{n:05}" for n in range(1, self.schools + 1)]


def register(city: City) -> Register:
    """Seventeen classrooms with a projector and a computer room in each school."""
    rooms = [
        Room(code, "本部", room, room, kind, seats, "主线")
        for code in city.codes
        for room, kind, seats in [
            *((f"{n}", "教室", None) for n in range(ROOMS)),
            ("机房", "computer", city.pcs),
        ]
    ]
    return Register(
        {code: School(code, f"示例{code[-4:]}", "630102", "小学", "630102") for code in city.codes},
        campuses=[Campus(code, "本部") for code in city.codes],
        lines=[Line(code, "主线", "本部", 100.0) for code in city.codes],
        rooms=rooms,
        equipment=[
            Equipment(code, f"{n}", "projector", 1) for code in city.codes for n in range(ROOMS)
        ],
        machines=[Machine(row.school, row.room, f"{row.room}-*") for row in rooms],
    )


def reports(city: City, code: str, first_s: int, last_s: int) -> Iterator[list[Point]]:
    """A school's reports sealed within [first_s, last_s), seconds of the day, in no order."""
    for pc in range(city.pcs):
        began = 8 * 3600 + (pc * 89 + int(code)) % city.report_s
        rounds = range(max(0, -(-(first_s - began) // city.report_s)), 10**6)
        for n in rounds:
            second = began + n * city.report_s
            if second >= last_s:
                break
            yield report(code, pc, n, second, city.day)


def report(
    code: str, pc: int, n: int, second: int, day: dt.date = DAY, **device: Value
) -> list[Point]:
    """A PC's report number `n` of the day, at a second of it; `device`: fields of its projector."""
    rng = random.Random(int(code) * 10**7 + pc * 10**4 + n)
    at = midnight(day) + second * S + rng.randrange(1000) * 10**6 + rng.randrange(10**6)
    tags = {"school": code, "machine": f"{int(code) * 100 + pc:032x}"}
    room = f"{pc}" if pc < ROOMS else "机房"
    agent: dict[str, Value] = {
        "boot": f"{int(code) * 100 + pc:016x}", "number": n + 2, "outbox_rows": 0, "offset_ms": 12,
        "uptime_s": float(n * 300 + 2), "version": "1.2.0",
        "probes": "displays,sound,cameras", "room": "",
    }  # fmt: skip
    host: dict[str, Value] = {"received_bytes": n * 10**6 + pc, "cpu_percent": rng.random()}
    host |= {"hostname": f"{room}-{pc}"} if n == 0 else {}
    points = [Point("agent", tags, agent, at), Point("host", tags, host, at)]
    for kind, connector in _KINDS:
        maker, model = _MODELS.get(kind, ("", ""))
        fields: dict[str, Value] = {
            "present": rng.random() > 0.001, "connector": connector, "power": "on",
            "fault": "lamp" if rng.random() < 0.0005 else "", "maker": maker, "model": model,
            "serial": f"{int(code) * 100 + pc}" if model else "",
        }  # fmt: skip
        fields |= device if kind == "projector" else {}
        ident = f"{int(code) * 1000 + pc * 10 + len(points):016x}"
        points.append(Point("device", {**tags, "kind": kind, "device": ident}, fields, at))
    return points

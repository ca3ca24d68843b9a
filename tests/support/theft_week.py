"""A week of a school of 40 PCs: TVs switched off in between, PCs off at night, two real faults.

A projector is stolen on the fourth day, another one's lamp breaks on the fifth.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from collector.config import City, Figure, Store
from collector.keeper import Keeper
from collector.roster.register import Campus, Equipment, Machine, Register, Room, School
from collector.store.base import Point
from collector.store.influx import InfluxStore

SCHOOL, FIRST = "9963000001", dt.date(2026, 3, 2)
PCS, DAYS, EVERY_MIN = 40, 7, 10
STOLEN, BROKEN = (7, 3), (11, 4)  # PC, and the day from 0 on which its projector is
MIDDAY = 12 * 60


def register() -> Register:
    """Each PC in a room of its own with a TV and a projector."""
    rooms = [Room(SCHOOL, "本部", f"{n}", f"{n}", "教室", None) for n in range(PCS)]
    return Register(
        {SCHOOL: School(SCHOOL, "示例小学", "630102", "小学", "630102")},
        campuses=[Campus(SCHOOL, "本部")],
        rooms=rooms,
        equipment=[
            Equipment(SCHOOL, row.room, kind, 1) for row in rooms for kind in ("tv", "projector")
        ],
        machines=[Machine(SCHOOL, f"{n}", f"pc-{n:02d}") for n in range(PCS)],
    )


def points(make: Any, day: int) -> Iterator[Point]:
    """The reports of a day: a PC is on from 08:00, the later the higher its number, to 17:00."""
    date = FIRST + dt.timedelta(days=day)
    for n in range(PCS):
        for minute in range(8 * 60 + n % 5 * 10, 17 * 60, EVERY_MIN):
            at = f"{minute // 60:02d}:{minute % 60:02d}"
            yield make.agent(n, at, date, probes="displays,network")
            yield make.host(n, at, f"pc-{n:02d}", date)
            tv_on = (minute + 7 * n) // 30 % 2 == 0
            yield make.device(n, at, "tv", "HDMI-1", day=date, present=tv_on)
            yield make.device(n, at, "projector", f"net:{n}", day=date, **projector(n, day, minute))


def projector(n: int, day: int, minute: int) -> dict[str, object]:
    stolen = n == STOLEN[0] and (day, minute) >= (STOLEN[1], MIDDAY)
    broken = n == BROKEN[0] and (day, minute) >= (BROKEN[1], MIDDAY)
    return {"present": not stolen, "fault": "lamp" if broken else "", "power": "on"}


def lived(make: Any, settings: Store) -> Iterator[tuple[int, int, int]]:
    """Each hour of the week, once what came in it is stored and derived: day, hour, its end, ns."""
    known, now = register(), 0
    with InfluxStore(settings) as store:
        keeper = Keeper(store, lambda: known, Figure(), City(), now=lambda: now)
        for day in range(DAYS):
            date = FIRST + dt.timedelta(days=day)
            waiting = sorted(points(make, day), key=lambda point: point.time)
            for hour in range(24):
                now = make.time("00:00", date) + (hour + 1) * 3600 * 10**9
                arrived = [point for point in waiting if point.time < now]
                del waiting[: len(arrived)]
                store.write(arrived)
                keeper.derive_school(SCHOOL, date, arrived[0].time if arrived else now)
                yield day, hour, now


def of_projector(n: int) -> str:
    """The name of the projector beside PC n."""
    return f"projector-net:{n}-{n}"

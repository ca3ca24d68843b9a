"""A week of a school: TVs switched off in between, PCs off at night, and two real faults."""

from __future__ import annotations

import datetime as dt

import pytest

from collector.config import City, Figure
from collector.inventory import devices
from collector.keeper import Keeper
from collector.roster.register import Campus, Equipment, Machine, Register, Room, School
from collector.store.sqlite import SqliteStore

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


def points(make, day: int):
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


@pytest.mark.slow
def test_a_week_ends_with_the_two_real_faults_and_two_events(make, tmp_path):
    known = register()
    with SqliteStore(tmp_path / "store.db", telemetry_days=36500) as store:
        keeper = Keeper(store, lambda: known, Figure(), City())
        for day in range(DAYS):
            store.write(list(points(make, day)))
            keeper.derive([FIRST + dt.timedelta(days=day)])
        end = make.time("17:00", FIRST + dt.timedelta(days=DAYS - 1))
        stock = devices.load(store, known, end // 10**6, SCHOOL)
        found = devices.faults(stock.devices)
        alarms = list(alarming(store.read("event", 0, end)))
    assert {(one.room, one.kind) for one in found} == {("7", "projector"), ("11", "projector")}
    assert sorted((p.tags["room"], p.fields["event"]) for p in alarms) == [
        ("11", "fault"),
        ("7", "gone"),
    ]
    off = [one for one in stock.devices if one.kind == "tv" and one.state.presence == "off"]
    assert len(off) > PCS / 4


def alarming(events):
    """The events that IT staff are alerted of."""
    return (point for point in events if point.fields["event"] in ("gone", "fault"))

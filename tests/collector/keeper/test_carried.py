"""From the readings of PCs to verdicts: what a school with one projector can do, and cannot."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from typing import Any

import pytest

from collector.compliance.evidence import load
from collector.compliance.figure import judge
from collector.compliance.model import Verdict
from collector.config import City, Figure
from collector.roster.register import Equipment, Register, SchoolClass
from collector.store.base import Point, Store

V, N, D, C, S, U = Verdict
PROJECTOR = {"maker": "SEC", "model": "SECA611", "name": "EPSON PJ", "serial": "X4QF123456",
             "serial_number": "7", "year": 2020, "week": 15}  # fmt: skip
FILLER = {**PROJECTOR, "serial": "demoset-1", "serial_number": "16843009"}
PLACES = [(code, room) for code in ("9963000001", "9963000002") for room in ("6-1", "6-2")]


@pytest.fixture
def town(register: Register) -> Register:
    """A class in each of two rooms of two schools; the register says that each has a projector."""
    return dataclasses.replace(
        register,
        classes=[SchoolClass(code, room, (room,)) for code, room in PLACES],
        equipment=[
            Equipment(*place, kind, 1) for place in PLACES for kind in ("computer", "projector")
        ],
    )


def on(
    make: Any, place: int, day: dt.date, first: int, last: int, kind: str = "projector",
    **edid: Any,
) -> list[Point]:  # fmt: skip
    """A PC's readings each five minutes, from one hour to another."""
    code, room = PLACES[place]
    points = [make.agent(place, "08:00", day, school=code, room=room, probes="displays")]
    for minute in range(first * 60, last * 60, 5):
        at = f"{minute // 60:02}:{minute % 60:02}"
        points.append(make.agent(place, at, day, school=code, room=room, probes="displays"))
        points.append(make.device(place, at, kind, day=day, school=code, **edid))
    return points


def verdicts(store: Store, keeper_of: Any, town: Register, days: list[dt.date]) -> list[Verdict]:
    keeper = keeper_of(town)
    keeper.derive(days)
    assert keeper.derive(days) == 0
    found = load(store, town, Figure(), days[-1])
    figure = judge(town, found, Figure(), City(), year=2026, today=days[-1])
    return [unit.verdict for unit in figure.units if unit.indicator == "multimedia"]


def weekdays(day: dt.date, count: int) -> list[dt.date]:
    return [d for n in range(2 * count) if (d := day + dt.timedelta(days=n)).weekday() < 5][:count]


def test_one_projector_equips_one_class_of_two_schools(
    store: Store, keeper_of: Any, town: Register, make: Any, day: dt.date
) -> None:
    days = weekdays(day, 13)
    points = [
        point
        for n, one in enumerate(days)
        for point in on(make, min(n // 3, 3), one, 8, 10, **PROJECTOR)
    ]
    random.Random(1).shuffle(points)
    store.write(points)
    assert verdicts(store, keeper_of, town, days) == [D, D, D, V]


def test_carried_about_within_each_day_it_equips_none(
    store: Store, keeper_of: Any, town: Register, make: Any, day: dt.date
) -> None:
    """Back and forth, so that its first and last readings overlap everywhere."""
    days = weekdays(day, 4)
    for one in days:
        for place in range(4):
            store.write(on(make, place, one, 8 + place, 9 + place, **PROJECTOR))
            store.write(on(make, place, one, 13 + place, 14 + place, **PROJECTOR))
    assert verdicts(store, keeper_of, town, days) == [D, D, D, D]


def test_four_displays_of_one_filler_serial_in_use_at_one_time_are_four(
    store: Store, keeper_of: Any, town: Register, make: Any, day: dt.date
) -> None:
    days = weekdays(day, 3)
    for one in days:
        for place in range(4):
            store.write(on(make, place, one, 8, 10 + place, **FILLER))
    assert verdicts(store, keeper_of, town, days) == [V, V, V, V]


def test_one_filler_serial_of_different_dates_is_two_displays_at_any_times(
    store: Store, keeper_of: Any, town: Register, make: Any, day: dt.date
) -> None:
    days = weekdays(day, 6)
    for n, one in enumerate(days):
        edid = FILLER if n < 3 else {**FILLER, "year": 2021}
        store.write(on(make, n // 3, one, 8, 10, **edid))
    assert verdicts(store, keeper_of, town, days) == [V, V, D, D]


def test_a_plug_without_an_edid_does_not_hold_a_carried_projectors_place(
    store: Store, keeper_of: Any, town: Register, make: Any, day: dt.date
) -> None:
    """Shown once in each room, then a resistor in the socket where it was."""
    days = weekdays(day, 8)
    for place in range(4):
        store.write(on(make, place, days[place], 8, 10, **PROJECTOR))
        for one in days[place + 1 :]:
            store.write(on(make, place, one, 8, 10, kind="display"))
    assert verdicts(store, keeper_of, town, days) == [V, D, D, D]


def test_a_reading_before_local_midnight_is_of_its_day(
    store: Store, keeper_of: Any, town: Register, make: Any, day: dt.date
) -> None:
    days = weekdays(day, 3)
    for one in days:
        store.write(on(make, 0, one, 23, 24, **PROJECTOR))
    assert verdicts(store, keeper_of, town, days) == [V, D, D, D]
    rows = list(store.read("room_day", 0, 2**62))
    assert {str(row.fields["display_ids"]).split(":")[2] for row in rows} == {f"{0b11 << 46:x}"}

"""The keeper gives the same rows on every store, run once, twice or by two."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

from collector.config import City, Figure
from collector.keeper import Keeper
from collector.keeper.days import bounds, device_days, machine_days, room_days
from collector.keeper.devices import DeviceKey
from collector.keeper.observations import Known, reduce_day
from collector.keeper.stateful import with_states
from collector.roster.register import Equipment, Machine, Register, Room, School
from collector.store.base import Point, Store, Value

SCHOOLS = ("9963000001", "9963000002")
DAYS = [dt.date(2026, 3, day) for day in (2, 3, 4)]
PCS = 6


def _register() -> Register:
    return Register(
        {code: School(code, "示例学校", "630102", "小学", "630102") for code in SCHOOLS},
        rooms=[Room(code, "主校区", "6（1）班 东", "东", "教室", 40) for code in SCHOOLS],
        equipment=[Equipment(SCHOOLS[0], "6（1）班 东", "panel", 1)],
        machines=[Machine(code, "6（1）班 东", "pc-*") for code in SCHOOLS],
    )


def _raw() -> list[Point]:
    return [
        point
        for code in SCHOOLS
        for day in DAYS
        for n in range(PCS)
        for point in _reports(code, day, n)
    ]


def _reports(school: str, day: dt.date, n: int) -> list[Point]:
    start, _ = bounds(day)
    tags = {"school": school, "machine": f"{n:032x}"}
    display = {**tags, "kind": "display", "device": f"{n:016x}"}
    points = [Point("host", tags, {"hostname": f"pc-{n}"}, start + 8 * 3600 * 10**9)]
    for hour in (8, 9, 16):
        time = start + hour * 3600 * 10**9 + n
        boot: dict[str, Value] = {
            "boot": f"{hour // 10:016x}",
            "number": hour,
            "weak_id": n == 5,
        }
        points.append(Point("agent", tags, boot, time))
        seen: dict[str, Value] = {"present": hour != 9, "fault": "灯泡" if n == 3 else ""}
        points.append(Point("device", display, {**seen, "maker": "M, 1"}, time))
    return points


def _expected(raw: list[Point]) -> list[Point]:
    rows: list[Point] = []
    before: dict[DeviceKey, Known] = {}
    for day in DAYS:
        start, stop = bounds(day)
        mine = {
            name: [p for p in raw if p.measurement == name and start <= p.time < stop]
            for name in ("agent", "host", "device")
        }
        pcs = machine_days(mine["agent"], mine["host"], [], _register(), day)
        states = reduce_day(mine["device"], mine["agent"], before)
        before |= {key: one.known for key, one in states.items()}
        devices = device_days(mine["device"], pcs, [], _register(), day)
        devices = with_states(devices, states)
        rows += [*pcs, *devices, *room_days(pcs, devices, _register(), day)]
    return _sorted(rows)


def _sorted(points: list[Point]) -> list[Point]:
    return sorted(
        points, key=lambda point: (point.measurement, point.time, sorted(point.tags.items()))
    )


def _stored(store: Store) -> list[Point]:
    names = ("machine_day", "device_day", "room_day")
    return _sorted([point for name in names for point in store.read(name, 0, 2**62)])


def _keeper(store: Store) -> Keeper:
    return Keeper(store, _register, Figure(), City())


def test_the_rows_are_those_of_the_pure_functions(store: Store) -> None:
    raw = _raw()
    store.write(raw)
    changed = _keeper(store).derive(DAYS)
    assert _stored(store) == _expected(raw)
    assert len(_stored(store)) == 2 * 3 * (2 * PCS + 1)
    # These PCs have no names and are all alike: each school's days say so.
    doubted = list(store.read("school_day", 0, 2**62))
    assert len(doubted) == 2 * 3
    assert changed == len(_stored(store)) + len(doubted)
    assert _keeper(store).derive(DAYS) == 0


def test_two_keepers_at_once_do_no_harm(store: Store, reopen: Callable[[], Store]) -> None:
    raw = _raw()
    store.write(raw)
    keepers = [_keeper(store), _keeper(reopen())]
    threads = [threading.Thread(target=keeper.derive, args=(DAYS,)) for keeper in keepers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _stored(store) == _expected(raw)


def test_indicators_stand_at_the_days_midnight(store: Store) -> None:
    store.write(_raw())
    keeper = _keeper(store)
    keeper.derive(DAYS)
    noon = dt.datetime.combine(DAYS[-1], dt.time(12), dt.timezone(dt.timedelta(hours=8)))
    keeper.run_once(noon)
    start, _ = bounds(DAYS[-1])
    found = list(store.read("indicator", 0, 2**62))
    assert {point.time for point in found} == {start}
    areas = {(p.tags["area"], p.tags["indicator"]): p.fields["all"] for p in found}
    assert areas["630100", "computer_room"] == 2
    assert areas["630102", "line"] == 2
    found = list(store.read("school_day", start, start + 1))
    days = {point.tags["school"]: point.fields["pcs"] for point in found}
    assert days == dict.fromkeys(SCHOOLS, PCS)

"""`school_hour` on every store: silent schools too, late reports, pruned telemetry, two keepers."""

from __future__ import annotations

import datetime as dt
from typing import Any

from agent.common.calendar import CITY_TIME
from collector.config import City, Figure
from collector.keeper import Keeper
from collector.keeper.hours import HOUR
from collector.keeper.midnight import bounds
from collector.roster.register import Register, School
from collector.store.base import Point, Store, Value

SCHOOL, SILENT = "9963000001", "9963000002"
DAY = dt.date(2026, 3, 2)  # a Monday
START, STOP = bounds(DAY)


def register() -> Register:
    return Register({c: School(c, "示例", "630102", "小学", "630102") for c in (SCHOOL, SILENT)})


def keeper(store: Store, now: int = STOP) -> Keeper:
    return Keeper(store, register, Figure(), City(), now=lambda: now)


def agent(hour: float, pc: int, **fields: Value) -> Point:
    tags = {"school": SCHOOL, "machine": f"{pc:032x}"}
    return Point(
        "agent", tags, {"boot": "0" * 16, "number": 2, **fields}, START + int(hour * HOUR) + pc
    )


def device(hour: float, pc: int, **fields: Value) -> Point:
    tags = {"school": SCHOOL, "machine": f"{pc:032x}", "kind": "panel", "device": f"{pc:016x}"}
    return Point("device", tags, {"fault": "", **fields}, START + int(hour * HOUR) + pc)


def hours(store: Store) -> dict[tuple[str, int], dict[str, Value]]:
    return {
        (point.tags["school"], (point.time - START) // HOUR): dict(point.fields)
        for point in store.read("school_hour", 0, 2**62)
    }


def test_every_school_has_a_row_of_every_hour(store: Store) -> None:
    store.write(
        [agent(8.1, 1), agent(8.9, 1), agent(8.5, 2), agent(9, 1), agent(9, 3, uncertain=True)]
    )
    keeper(store).derive([DAY])
    found = hours(store)
    assert set(found) == {(code, hour) for code in (SCHOOL, SILENT) for hour in range(24)}
    eight = {"pcs": 2, "reports": 3, "missing": 0, "faults": 0, "open": True}
    assert found[SCHOOL, 8] == eight
    assert found[SCHOOL, 9] == {**eight, "pcs": 1, "reports": 1}
    assert found[SILENT, 8] == {**eight, "pcs": 0, "reports": 0}
    assert [hour for (code, hour), row in found.items() if code == SILENT and row["open"]] == list(
        range(7, 18)  # 07:30 to 18:00
    )


def test_an_hour_to_come_has_no_row_yet_and_a_begun_one_has(store: Store) -> None:
    now = dt.datetime(2026, 3, 2, 9, 30, tzinfo=CITY_TIME)
    one = keeper(store, int(now.timestamp()) * 10**9)
    one.derive([DAY])
    assert max(hour for _, hour in hours(store)) == 9
    one.run_once(now + dt.timedelta(hours=1))
    assert max(hour for _, hour in hours(store)) == 10


def test_devices_count_by_their_last_reading(store: Store) -> None:
    store.write([agent(8, 1), device(8.1, 1, present=False, fault="灯泡")])
    store.write([device(8.2, 1, present=True, fault=""), device(8.2, 2, present=False)])
    keeper(store).derive([DAY])
    row = hours(store)[SCHOOL, 8]
    assert (row["missing"], row["faults"]) == (1, 0)


def test_a_late_report_completes_its_hour_and_two_keepers_agree(store: Store) -> None:
    store.write([agent(8, 1)])
    one, two = keeper(store), keeper(store)
    one.derive([DAY])
    store.write([agent(8.5, 2, simulated=True)])
    two.derive([DAY])
    one.derive([DAY])
    assert hours(store)[SCHOOL, 8] == {
        "pcs": 2, "reports": 2, "missing": 0, "faults": 0, "open": True, "simulated": True,
    }  # fmt: skip


def test_a_pruned_hour_keeps_its_stored_counts(store: Store) -> None:
    row: dict[str, Any] = {"pcs": 7, "reports": 80, "missing": 1, "faults": 2, "open": True}
    tags = {"school": SCHOOL, "district": "630102"}
    store.write([Point("school_hour", tags, row, START + 8 * HOUR)])
    keeper(store).derive([DAY])
    assert hours(store)[SCHOOL, 8] == row

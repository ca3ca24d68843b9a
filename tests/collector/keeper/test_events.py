"""Devices' states and events, derived day by day from the store."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from collector.keeper import Keeper
from collector.keeper.midnight import bounds
from collector.roster.register import Machine, Register
from collector.store.seam import Point, Store

Derive = Callable[..., list[tuple[str, str, str]]]
ALL = {"probes": "displays,cameras,sound"}


@pytest.fixture
def see(store: Store, told: Any, day: dt.date) -> Callable[..., None]:
    """Stores the reports of one PC: at each time, what it sees."""

    def put(*reports: tuple[str, dict[str, dict[str, Any]]], on: dt.date = day, n: int = 1) -> None:
        points = []
        for at, devices in reports:
            points.append(told.agent(n, at, on, room="6-1", **ALL))
            points += [told.device(n, at, kind, day=on, **f) for kind, f in devices.items()]
        store.write(points)

    return put


@pytest.fixture
def derive(store: Store, register: Register, keeper_of: Any, day: dt.date) -> Derive:
    """Derives days with a new keeper, and lists the events: kind, event, local time."""

    def run(*days: dt.date, keeper: Keeper | None = None) -> list[tuple[str, str, str]]:
        (keeper or keeper_of(register)).derive(days or (day,))
        return told_events(store)

    return run


def told_events(store: Store) -> list[tuple[str, str, str]]:
    return [
        (p.tags["kind"], str(p.fields["event"]), _clock(p.time))
        for p in store.read("event", 0, 2**62)
        if p.fields["event"] != "withdrawn"
    ]


def _clock(time: int) -> str:
    zone = dt.timezone(dt.timedelta(hours=8))
    return dt.datetime.fromtimestamp(time / 1e9, zone).strftime("%d %H:%M")


def _ms(day: dt.date, at: str) -> int:
    clock = dt.time.fromisoformat(at)
    return bounds(day)[0] // 10**6 + (clock.hour * 60 + clock.minute) * 60_000


def rows(store: Store, kind: str) -> list[Point]:
    return [p for p in store.read("device_day", 0, 2**62) if p.tags["kind"] == kind]


HERE: dict[str, dict[str, Any]] = {"projector": {"power": "on"}}


def test_events_are_told_once_confirmed_and_deriving_again_changes_nothing(
    see, derive, store, register, keeper_of, day
):
    see(("08:00", HERE), ("08:05", HERE), ("08:10", {"projector": {"present": False}}))
    assert derive() == [("projector", "appeared", "02 08:00")]
    see(("08:13", {"projector": {"present": False}}))
    assert derive()[1:] == [("projector", "gone", "02 08:10")]
    assert keeper_of(register).derive([day]) == 0
    (row,) = rows(store, "projector")
    assert (row.fields["presence"], row.fields["health"]) == ("missing", "well")


def test_what_was_there_yesterday_and_is_not_told_today_has_gone(see, derive, store, day):
    see(("17:00", HERE), ("17:05", HERE))
    tomorrow = day + dt.timedelta(days=1)
    see(("08:00", {}), ("08:05", {}), on=tomorrow)
    assert derive(day, tomorrow) == [
        ("projector", "appeared", "02 17:00"), ("projector", "gone", "03 08:00"),
    ]  # fmt: skip
    yesterday, today = rows(store, "projector")
    assert (today.fields["presence"], today.fields.get("seen")) == ("missing", None)
    assert today.fields["missing"] is True
    assert yesterday.fields["presence"] == "present"


def test_a_failed_probe_makes_nothing_missing(see, derive, store, told, day):
    see(("08:00", HERE), ("08:05", HERE))
    store.write([told.agent(1, at, room="6-1", probes="sound") for at in ("08:10", "08:15")])
    assert derive() == [("projector", "appeared", "02 08:00")]


def test_a_night_off_is_no_event(see, derive, day):
    tomorrow = day + dt.timedelta(days=1)
    see(("17:00", HERE), ("17:05", HERE))
    see(("08:00", HERE), ("08:05", HERE), on=tomorrow)
    assert derive(day, tomorrow) == [("projector", "appeared", "02 17:00")]


def test_a_late_report_takes_an_event_back_and_mends_the_days_after(
    see, derive, store, register, keeper_of, day
):
    see(("08:00", HERE), ("08:05", HERE), ("08:20", {}), ("08:25", {}))
    after = day + dt.timedelta(days=4)

    def missing_since() -> Any:
        return rows(store, "projector")[-1].fields["presence_ms"]

    see(("08:00", {}), ("08:05", {}), on=after)
    derive(day, after)
    assert told_events(store)[-1] == ("projector", "gone", "02 08:20")
    assert (
        rows(store, "projector")[-1].fields["presence_ms"] == bounds(day)[0] // 10**6 + 30_000_000
    )
    see(("08:22", HERE), ("08:30", HERE), ("08:33", HERE))
    assert derive(day) == [
        ("projector", "appeared", "02 08:00"), ("projector", "gone", "06 08:00"),
    ]  # fmt: skip
    everything = list(store.read("event", 0, 2**62))
    assert [p.fields["event"] for p in everything] == ["appeared", "withdrawn", "gone"]
    assert (
        rows(store, "projector")[-1].fields["presence_ms"] == bounds(after)[0] // 10**6 + 28_800_000
    )
    assert keeper_of(register).derive([day, after]) == 0


def test_pruned_telemetry_leaves_states_and_events(
    see, derive, store, register, keeper_of, day, tmp_path
):
    see(("08:00", HERE), ("08:05", HERE))
    derive()
    before = rows(store, "projector"), told_events(store)
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as database, database:
        for name in ("agent", "device", "host"):
            database.execute(f"DELETE FROM {name}")
    assert keeper_of(register).derive([day]) == 0
    assert (rows(store, "projector"), told_events(store)) == before


def test_another_room_moves_the_events(see, derive, store, register, keeper_of, day):
    see(("08:00", HERE), ("08:05", HERE))
    derive()
    machine = f"{1:032x}"
    moved = Register(
        register.schools, rooms=register.rooms, machines=[Machine("9963000001", "6-2", machine)]
    )
    keeper_of(moved).derive([day])
    found = {(p.tags["room"], p.fields["event"]) for p in store.read("event", 0, 2**62)}
    assert found == {("6-1", "withdrawn"), ("6-2", "appeared")}


def test_a_fault_and_its_repair_name_the_fault(see, derive, store):
    lamp = {"projector": {"power": "on", "fault": "lamp"}}
    see(("08:00", HERE), ("08:05", HERE), ("08:10", lamp), ("08:15", lamp))
    see(("08:20", HERE), ("08:25", HERE))
    assert [event for _, event, _ in derive()] == ["appeared", "fault", "repaired"]
    details = [p.fields["detail"] for p in store.read("event", 0, 2**62)]
    assert details == ["", "lamp", "lamp"]

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
from collector.store.base import Point, Store

Derive = Callable[..., list[tuple[str, str, str]]]
ALL = {"probes": "displays,cameras,sound"}


@pytest.fixture
def see(store: Store, make: Any, day: dt.date) -> Callable[..., None]:
    """Stores the reports of one PC: at each time, what it sees."""

    def put(*reports: tuple[str, dict[str, dict[str, Any]]], on: dt.date = day, n: int = 1) -> None:
        points = []
        for at, devices in reports:
            points.append(make.agent(n, at, on, room="6-1", **ALL))
            points += [make.device(n, at, kind, day=on, **f) for kind, f in devices.items()]
        store.write(points)

    return put


@pytest.fixture
def derive(store: Store, register: Register, keeper_of: Any, day: dt.date) -> Derive:
    """Derives days with a new keeper, and lists the events: kind, event, local time."""

    def run(*days: dt.date, keeper: Keeper | None = None) -> list[tuple[str, str, str]]:
        (keeper or keeper_of(register)).derive(days or (day,))
        return stored_events(store)

    return run


def stored_events(store: Store) -> list[tuple[str, str, str]]:
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


def test_events_are_stored_once_confirmed_and_deriving_again_changes_nothing(
    see, derive, store, register, keeper_of, day
):
    see(("08:00", HERE), ("08:05", HERE), ("08:10", {"projector": {"present": False}}))
    assert derive() == [("projector", "appeared", "02 08:00")]
    see(("08:13", {"projector": {"present": False}}))
    assert derive()[1:] == [("projector", "gone", "02 08:10")]
    assert keeper_of(register).derive([day]) == 0
    (row,) = rows(store, "projector")
    assert (row.fields["presence"], row.fields["health"]) == ("missing", "well")


def test_a_device_seen_yesterday_and_not_reported_today_is_gone(see, derive, store, day):
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


def test_a_failed_probe_makes_nothing_missing(see, derive, store, make, day):
    see(("08:00", HERE), ("08:05", HERE))
    store.write([make.agent(1, at, room="6-1", probes="sound") for at in ("08:10", "08:15")])
    assert derive() == [("projector", "appeared", "02 08:00")]


def test_a_night_off_is_no_event(see, derive, day):
    tomorrow = day + dt.timedelta(days=1)
    see(("17:00", HERE), ("17:05", HERE))
    see(("08:00", HERE), ("08:05", HERE), on=tomorrow)
    assert derive(day, tomorrow) == [("projector", "appeared", "02 17:00")]


def test_a_late_report_withdraws_an_event_and_corrects_the_days_after(
    see, derive, store, register, keeper_of, day
):
    see(("08:00", HERE), ("08:05", HERE), ("08:20", {}), ("08:25", {}))
    after = day + dt.timedelta(days=4)

    def missing_since() -> Any:
        return rows(store, "projector")[-1].fields["presence_ms"]

    see(("08:00", {}), ("08:05", {}), on=after)
    derive(day, after)
    assert stored_events(store)[-1] == ("projector", "gone", "02 08:20")
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
    before = rows(store, "projector"), stored_events(store)
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as database, database:
        for name in ("agent", "device", "host"):
            database.execute(f"DELETE FROM {name}")
    assert keeper_of(register).derive([day]) == 0
    assert (rows(store, "projector"), stored_events(store)) == before


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


CAMERA = {"model": "1778:0214", "maker": "IPEVO"}


def camera(port: str, **more: Any) -> dict[str, Any]:
    return {"connector": f"usb:{port}", **CAMERA, **more}


def no(one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "present": False}


def shown(store: Store) -> list[tuple[str, str, str]]:
    """Of the last day that has rows: kind, connector, presence."""
    found = list(store.read("device_day", 0, 2**62))
    last = max(point.time for point in found)
    return sorted(
        (p.tags["kind"], str(p.fields["connector"]), str(p.fields["presence"]))
        for p in found
        if p.time == last
    )


def test_a_camera_in_another_port_is_not_missing(store, make, derive, day):
    """Before lessons it is plugged in wherever the cable reaches."""
    tomorrow = day + dt.timedelta(days=1)
    old, new = camera("1-2"), camera("1-4")
    for on, at, devices in (
        (day, "08:00", [old]), (day, "08:05", [old]),
        (day, "08:10", [no(old), new]), (day, "08:15", [no(old), new]),
        (tomorrow, "08:00", [new]), (tomorrow, "08:05", [new]),
        (tomorrow, "08:10", [no(new), old]), (tomorrow, "08:15", [no(new), old]),
    ):  # fmt: skip
        store.write([make.agent(1, at, on, room="6-1", **ALL)])
        store.write([make.device(1, at, "document_camera", day=on, **one) for one in devices])
    assert derive(day, tomorrow) == [("document_camera", "appeared", "02 08:00")]
    assert shown(store) == [("document_camera", "usb:1-2", "present")]


def test_one_of_two_alike_that_is_removed_is_gone(store, make, derive, day):
    for at, ports in (("08:00", "24"), ("08:05", "24"), ("08:10", "2"), ("08:15", "2")):
        store.write([make.agent(1, at, day, room="6-1", **ALL)])
        store.write([make.device(1, at, "camera", day=day, **camera(f"1-{n}")) for n in ports])
    assert derive() == [
        ("camera", "appeared", "02 08:00"), ("camera", "appeared", "02 08:00"),
        ("camera", "gone", "02 08:10"),
    ]  # fmt: skip
    assert [row[1:] for row in shown(store)] == [("usb:1-2", "present"), ("usb:1-4", "missing")]


READ: dict[str, Any] = {"connector": "HDMI-A-1", "maker": "SEC", "model": "SEC1C02"}
UNREAD: dict[str, Any] = {"connector": "HDMI-A-1", "note": "no EDID"}


@pytest.mark.parametrize("restarted", [False, True])
def test_a_projector_whose_standby_hides_its_edid_is_not_missing(
    store, make, derive, day, restarted
):
    """An agent that was started since does not report the projector as absent."""
    gone = [] if restarted else [("projector", {**READ, "present": False})]
    reports = [
        ("08:00", [("projector", READ)]), ("08:05", [("projector", READ)]),
        ("08:10", [("display", UNREAD), *gone]), ("08:15", [("display", UNREAD), *gone]),
        ("08:20", [("projector", READ), ("display", {**UNREAD, "present": False})]),
        ("08:25", [("projector", READ), ("display", {**UNREAD, "present": False})]),
    ]  # fmt: skip
    for at, devices in reports:
        store.write([make.agent(1, at, day, room="6-1", **ALL)])
        store.write([make.device(1, at, kind, day=day, **one) for kind, one in devices])
    assert derive() == [("projector", "appeared", "02 08:00")]
    assert shown(store) == [("projector", "HDMI-A-1", "present")]


def test_a_display_whose_edid_is_read_later_is_the_same_device(store, make, derive, day):
    tomorrow = day + dt.timedelta(days=1)
    for on, at, kind, one in (
        (day, "08:00", "display", UNREAD), (day, "08:05", "display", UNREAD),
        (tomorrow, "08:00", "tv", READ), (tomorrow, "08:05", "tv", READ),
        (tomorrow, "08:10", "display", UNREAD), (tomorrow, "08:15", "display", UNREAD),
    ):  # fmt: skip
        store.write([make.agent(1, at, on, room="6-2", **ALL)])
        store.write([make.device(1, at, kind, day=on, **one)])
    assert [event for _, event, _ in derive(day, tomorrow)] == ["appeared"]
    assert shown(store) == [("tv", "HDMI-A-1", "present")]


def test_another_display_on_the_same_connector_is_another_device(store, make, derive, day):
    other = {**READ, "model": "BNQ1234"}
    for at, one in (("08:00", READ), ("08:05", READ), ("08:10", other), ("08:15", other)):
        kind = "projector" if one is READ else "tv"
        store.write([make.agent(1, at, day, room="6-1", **ALL)])
        store.write([make.device(1, at, kind, day=day, **one)])
    derive()
    assert [row[::2] for row in shown(store)] == [("projector", "missing"), ("tv", "present")]


EQUIPPED = {**READ, "serial": "7"}


def test_a_display_named_by_the_register_is_the_same_on_another_connector(store, make, derive, day):
    """A projector that does not tell its kind is plugged into the other socket in the morning."""
    tomorrow = day + dt.timedelta(days=1)
    old, new = EQUIPPED, {**EQUIPPED, "connector": "HDMI-A-2"}
    for on, at, devices in (
        (day, "08:00", [old]), (day, "08:05", [old]),
        (tomorrow, "08:00", [no(old), new]), (tomorrow, "08:05", [no(old), new]),
    ):  # fmt: skip
        store.write([make.agent(1, at, on, room="6-1", **ALL)])
        store.write([make.device(1, at, "display", day=on, **one) for one in devices])
    assert derive(day, tomorrow) == [("projector", "appeared", "02 08:00")]
    assert shown(store) == [("projector", "HDMI-A-2", "present")]


def test_a_display_without_edid_is_what_the_register_says_today(store, make, derive, day):
    """A PC and its old screen move from the class with a projector to one without."""
    tomorrow = day + dt.timedelta(days=1)
    for on, at, room in (
        (day, "08:00", "6-1"), (day, "08:05", "6-1"),
        (tomorrow, "08:00", "lab"), (tomorrow, "08:05", "lab"),
    ):  # fmt: skip
        store.write([make.agent(1, at, on, room=room, **ALL)])
        store.write([make.device(1, at, "display", day=on, **UNREAD)])
    derive(day, tomorrow)
    assert shown(store) == [("display", "HDMI-A-1", "present")]

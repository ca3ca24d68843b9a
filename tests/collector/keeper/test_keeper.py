"""The keeper over a store: days derived from what is there, as often as one likes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from collector.keeper import Keeper
from collector.keeper.days import midnight
from collector.roster.register import Line, Machine, Register
from collector.store.base import Point, Store
from collector.store.sqlite import SqliteStore
from dashboards import influxql
from pruning import prune

Rows = dict[tuple[str, ...], dict[str, Any]]
MakeKeeper = Callable[[Register], Keeper]


def rows(store: Store, measurement: str) -> Rows:
    """The stored rows by machine or room, then by kind."""
    found: Rows = {}
    for point in store.read(measurement, 0, 2**62):
        names = [point.tags[n] for n in ("machine", "room", "kind") if n in point.tags]
        found[tuple(names)] = dict(point.fields)
    return found


def everything(store: Store) -> list[Point]:
    names = ("machine_day", "device_day", "room_day")
    return [point for name in names for point in store.read(name, 0, 2**62)]


def test_a_day_of_one_room(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    store.write([
        make.agent(1, "07:50", boot="aa" * 8), make.host(1, "07:50", "6-1-pc"),
        make.agent(1, "16:00", boot="bb" * 8),
        make.device(1, "07:50", "display"), make.device(1, "07:50", "sound", "card0"),
        make.device(1, "16:00", "display", fault="lamp"),
    ])  # fmt: skip
    assert keeper_of(register).derive([day]) == 4
    pc = make.machine(1)
    assert rows(store, "machine_day") == {
        (pc, "6-1"): {
            "seen": True, "reports": 2, "boots": 2, "weak_id": False, "hostname": "6-1-pc",
            "hours": (1 << 7) + (1 << 16),
            "first_ms": make.time("07:50") // 10**6, "last_ms": make.time("16:00") // 10**6,
        }
    }  # fmt: skip
    devices = rows(store, "device_day")
    assert set(devices) == {(pc, "6-1", "projector"), (pc, "6-1", "sound")}
    assert devices[pc, "6-1", "projector"]["fault"] is True
    assert rows(store, "room_day") == {
        ("6-1",): {
            "pcs": 1, "together": 1, "weak_pcs": 0, "computer": True, "display": True,
            "displays": 1, "sound": True, "microphone": False, "camera": False, "missing": 0,
            "faults": 1, "display_ids": ":display:0",
        }
    }  # fmt: skip
    assert {point.time for point in everything(store)} == {midnight(day)}


def test_deriving_twice_writes_nothing(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    store.write([make.agent(n, "08:00") for n in range(3)])
    store.write([make.host(n, "08:00", f"lab-{n}") for n in range(3)])
    store.write([make.device(n, "08:00", "monitor") for n in range(3)])
    keeper = keeper_of(register)
    assert keeper.derive([day]) == 7
    first = everything(store)
    assert keeper.derive([day]) == 0
    assert keeper_of(register).derive([day]) == 0
    assert everything(store) == first


def test_a_late_report_completes_its_day(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    store.write([make.agent(1, "09:00"), make.host(1, "09:00", "lab-1")])
    keeper = keeper_of(register)
    keeper.derive([day])
    store.write([make.agent(2, "10:00"), make.host(2, "10:00", "lab-2"), make.agent(1, "08:00")])
    keeper.derive([day])
    assert rows(store, "room_day")["lab",]["pcs"] == 2
    assert rows(store, "machine_day")[make.machine(1), "lab"]["reports"] == 2


def test_a_day_is_cut_at_shanghai_midnight(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    yesterday, tomorrow = day - dt.timedelta(days=1), day + dt.timedelta(days=1)
    store.write([
        make.agent(1, "23:59:59.999999", day=yesterday), make.agent(2, "00:00:00"),
        make.agent(3, "23:59:59.999999"), make.agent(4, "00:00:00", day=tomorrow),
    ])  # fmt: skip
    keeper_of(register).derive([day])
    assert set(rows(store, "machine_day")) == {(make.machine(2),), (make.machine(3),)}


def test_an_uncertain_report_is_evidence_of_no_day(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    store.write([
        make.agent(1, "08:00", uncertain=True),
        make.device(1, "08:00", "projector", uncertain=True),
    ])  # fmt: skip
    assert keeper_of(register).derive([day]) == 0


def test_a_display_made_by_software_is_no_equipment_and_no_loss(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    store.write([
        make.host(1, "08:00", "6-1-a"),
        *(make.agent(1, at, probes="displays") for at in ("08:00", "08:05", "09:00", "09:05")),
        *(make.device(1, at, "virtual_display") for at in ("08:00", "08:05")),
        *(make.device(1, at, "virtual_display", present=False) for at in ("09:00", "09:05")),
    ])  # fmt: skip
    keeper_of(register).derive([day])
    assert not rows(store, "device_day")
    assert not rows(store, "event")


def test_pruned_telemetry_takes_nothing_back(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date, tmp_path: Any
) -> None:
    store.write([
        make.agent(1, "08:00"), make.host(1, "08:00", "6-1-a"), make.agent(1, "15:00"),
        make.device(1, "08:00", "projector"), make.device(1, "15:00", "projector", present=False),
        make.agent(1, "15:05"), make.device(1, "15:05", "projector", present=False),
    ])  # fmt: skip
    keeper_of(register).derive([day])
    later = make.time("08:00") // 10**9 + 100 * 86_400
    with SqliteStore(tmp_path / "store.db", 90, now=lambda: later) as pruned:
        assert prune(pruned) == 7
    store.write([make.agent(1, "08:30"), make.device(1, "08:00", "projector")])
    before = everything(store)
    assert keeper_of(register).derive([day]) == 0
    assert everything(store) == before
    assert rows(store, "device_day")[make.machine(1), "6-1", "projector"]["missing"] is True


def test_a_pc_bound_to_another_room_counts_in_one_room(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    store.write(
        [make.agent(1, "08:00"), make.host(1, "08:00", "6-1-a"), make.device(1, "08:00", "tv")]
    )
    keeper_of(register).derive([day])
    bound = Register(
        register.schools,
        rooms=register.rooms,
        machines=[Machine(make.school, "6-2", make.machine(1))],
    )
    keeper_of(bound).derive([day])
    found = rows(store, "room_day")
    assert found["6-2",]["display"] is True
    assert found["6-1",] == {
        **dict.fromkeys(("pcs", "together", "weak_pcs", "displays", "missing", "faults"), 0),
        **dict.fromkeys(("computer", "display", "sound", "microphone", "camera"), False),
        "display_ids": "",
    }
    assert keeper_of(bound).derive([day]) == 0


def test_a_hostname_reported_yesterday_still_binds(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    yesterday = day - dt.timedelta(days=1)
    store.write(
        [make.agent(1, "20:00", day=yesterday), make.host(1, "20:00", "lab-7", day=yesterday)]
    )
    store.write([make.agent(1, "08:00")])
    keeper_of(register).derive([day, yesterday])
    assert set(rows(store, "machine_day")) == {(make.machine(1), "lab")}
    assert len(list(store.read("machine_day", 0, 2**62))) == 2


def test_simulated_passes_to_all_that_is_derived(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    store.write([
        make.agent(1, "08:00"), make.host(1, "08:00", "lab-1"),
        make.agent(2, "08:00", simulated=True), make.host(2, "08:00", "lab-2"),
        make.agent(3, "08:00"), make.host(3, "08:00", "6-1-a"),
    ])  # fmt: skip
    keeper_of(register).derive([day])
    machines = rows(store, "machine_day")
    assert [
        machines[make.machine(n), room].get("simulated") for n, room in ((1, "lab"), (2, "lab"))
    ] == [None, True]
    found = rows(store, "room_day")
    assert found["lab",]["simulated"] is True
    assert "simulated" not in found["6-1",]


def test_a_school_outside_the_register_is_left_alone(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    store.write([make.agent(1, "08:00", school="9963000009")])
    assert keeper_of(register).derive([day]) == 0


def test_every_row_has_the_field_by_which_boards_find_the_newest(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date
) -> None:
    """Also of a device that is gone, of one that no PC reported, and of a room that has none."""
    store.write([
        make.agent(1, "07:50"), make.host(1, "07:50", "6-1-pc"), make.device(1, "07:50", "display"),
    ])  # fmt: skip
    keeper_of(register).derive([day])
    tomorrow = day + dt.timedelta(days=1)
    day_ns = 86_400 * 10**9
    later = [make.agent(1, "07:50"), make.agent(2, "07:50"), make.device(2, "07:50", "sound")]
    later = [point._replace(time=point.time + day_ns) for point in later]
    store.write(later)
    keeper_of(register).derive([tomorrow])
    moved = [replace(row, room="6-2") for row in register.machines if row.room == "6-1"]
    lines = [Line(next(iter(register.schools)), "主线", "主校区", 100)]
    keeper_of(replace(register, machines=moved, lines=lines)).derive([day, tomorrow])
    assert keeper_of(replace(register, lines=lines)).judge(day)
    for name, field in influxql._ALWAYS.items():
        found = list(store.read(name, 0, 2**62))
        assert found
        assert all(field in point.fields for point in found), name

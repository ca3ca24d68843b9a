"""The day rows as pure functions: rules of rooms and serials, any order, flags only ever set."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.compliance import displays
from collector.inventory import differences
from collector.keeper.days import bounds, device_days, machine_days, midnight, room_days
from collector.keeper.devices import resolved
from collector.roster.register import Equipment, Machine, Register
from collector.store.base import Point

pytestmark = pytest.mark.filterwarnings("error")
_QUICK = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def by_room(points: list[Point]) -> dict[str, Any]:
    return {point.tags["room"]: point.fields for point in points}


class Derived:
    """The three kinds of rows from the day's raw points."""

    def __init__(
        self, raw: list[Point], register: Register, day: dt.date, stored: list[Point] | None = None
    ) -> None:
        def of(name: str, points: list[Point]) -> list[Point]:
            return [point for point in points if point.measurement == name]

        kept = stored or []
        self.machines = machine_days(
            of("agent", raw), of("host", raw), of("machine_day", kept), register, day
        )
        self.devices = device_days(
            of("device", raw), self.machines, of("device_day", kept), register, day
        )
        self.rooms = room_days(self.machines, self.devices, register, day)
        self.all = [*self.machines, *self.devices, *self.rooms]


def test_a_day_lasts_24_hours_from_shanghai_midnight(day: dt.date) -> None:
    start, stop = bounds(day)
    assert start == midnight(day) == 1_772_380_800_000_000_000  # 2026-03-02T00:00+08:00
    assert stop - start == 86_400 * 10**9


def test_strong_and_weak_ids_are_counted_apart(make: Any, register: Register, day: dt.date) -> None:
    raw = [make.agent(n, "08:00", weak_id=n == 3) for n in range(4)]
    raw += [make.host(n, "08:00", f"LAB-{n}") for n in range(4)]
    room = by_room(Derived(raw, register, day).rooms)["lab"]
    assert (room["pcs"], room["weak_pcs"], room["seats"]) == (3, 1, 50)


def test_one_pc_counts_once_however_often_it_reports(
    make: Any, register: Register, day: dt.date
) -> None:
    raw = [make.agent(1, f"{hour:02}:00", boot=f"{hour:016}") for hour in range(8, 18)]
    raw.append(make.host(1, "08:00", "lab-1"))
    found = Derived(raw, register, day)
    assert by_room(found.rooms)["lab"]["pcs"] == 1
    assert found.machines[0].fields["reports"] == found.machines[0].fields["boots"] == 10


def test_a_pc_without_a_room_makes_no_room(make: Any, register: Register, day: dt.date) -> None:
    found = Derived([make.agent(1, "08:00"), make.host(1, "08:00", "office-9")], register, day)
    assert "room" not in found.machines[0].tags
    assert found.rooms == []


def test_the_register_takes_precedence_over_the_pcs_claim(
    make: Any, register: Register, day: dt.date
) -> None:
    claims = make.agent(1, "08:00", room="lab")
    assert Derived([claims], register, day).machines[0].tags["room"] == "lab"
    both = [claims, make.host(1, "08:00", "6-1-a")]
    assert Derived(both, register, day).machines[0].tags["room"] == "6-1"
    unknown = [make.agent(1, "08:00", room="no such room")]
    assert "room" not in Derived(unknown, register, day).machines[0].tags


def test_a_removed_binding_does_not_survive_in_the_row(
    make: Any, register: Register, day: dt.date
) -> None:
    raw = [make.agent(1, "08:00"), make.host(1, "08:00", "x")]
    bound = Register(
        register.schools, rooms=register.rooms, machines=[Machine(make.school, "lab", "x")]
    )
    first = Derived(raw, bound, day)
    assert by_room(first.rooms)["lab"]["pcs"] == 1
    assert Derived(raw, register, day, first.all).rooms == []


@pytest.mark.parametrize(
    ("kind", "room", "is_now"),
    [
        ("display", "6-1", "projector"),
        ("display", "6-2", "display"),
        ("display", "", "display"),
        ("monitor", "6-1", "monitor"),
        ("tv", "6-1", "tv"),
    ],
)
def test_an_unnamed_display_is_what_the_room_owns(
    register: Register, make: Any, kind: str, room: str, is_now: str
) -> None:
    assert resolved(kind, make.school, room, register) == is_now


def test_a_room_registered_with_none_resolves_nothing(register: Register, make: Any) -> None:
    none = [Equipment(make.school, "6-1", "projector", 0), Equipment(make.school, "6-1", "tv", 1)]
    found = Register(register.schools, rooms=register.rooms, equipment=none)
    assert resolved("display", make.school, "6-1", found) == "tv"


def test_a_panel_without_a_pc_is_a_panel(make: Any, register: Register, day: dt.date) -> None:
    owned = [Equipment(make.school, "6-1", "panel_without_pc", 1)]
    found = dataclasses.replace(register, equipment=owned)
    assert resolved("display", make.school, "6-1", found) == "panel"
    raw = [make.agent(1, "08:00", room="6-1")]
    raw += [make.device(1, "08:00", "screen", "eDP-1", width_cm=34)]
    raw += [make.device(1, "08:00", "screen", "eDP-2", width_cm=165)]
    assert by_room(Derived(raw, register, day).rooms)["6-1"]["displays"] == 1


def test_the_inventory_counts_a_panel_without_a_pc_as_a_panel() -> None:
    rows = [Equipment("1", "6-1", kind, 1) for kind in ("panel", "panel_without_pc", "tv")]
    assert differences._counts(rows) == {"panel": 2, "tv": 1}


def test_a_monitor_or_an_unknown_display_is_no_picture(
    make: Any, register: Register, day: dt.date
) -> None:
    raw = [make.agent(1, "08:00"), make.host(1, "08:00", "6-2-a")]
    raw += [make.device(1, "08:00", kind) for kind in ("monitor", "screen", "display")]
    room = by_room(Derived(raw, register, day).rooms)["6-2"]
    assert (room["display"], room["displays"], room["computer"]) == (False, 0, True)


def test_standby_is_seen_and_absent_is_missing(make: Any, register: Register, day: dt.date) -> None:
    raw = [
        make.agent(1, "08:00"), make.host(1, "08:00", "6-1-a"),
        make.device(1, "08:00", "projector", "HDMI-1", power="standby"),
        make.device(1, "09:00", "camera", "usb-1", present=False),
    ]  # fmt: skip
    found = Derived(raw, register, day)
    room = by_room(found.rooms)["6-1"]
    assert (room["display"], room["camera"], room["missing"]) == (True, False, 1)
    flags = {p.tags["kind"]: (p.fields.get("seen"), p.fields.get("missing")) for p in found.devices}
    assert flags == {"projector": (True, None), "camera": (None, True)}


SAME = {"maker": "SEC", "model": "EB-X", "serial": "S1"}


def shown(points: list[Point]) -> dict[tuple[str, str], Any]:
    return {
        (point.tags["school"], point.tags["room"]): displays.read(str(point.fields["display_ids"]))
        for point in points
    }


def test_one_display_in_two_rooms_counts_in_both_rows_with_its_times(
    make: Any, register: Register, day: dt.date
) -> None:
    """Which of them it counts for is for the figure to say."""
    raw = []
    for n, room, first in ((1, "6-1", 8), (2, "6-2", 10)):
        for minute in range(0, 45, 5):
            at = f"{first:02}:{minute:02}"
            raw += [make.agent(n, at, room=room), make.device(n, at, "projector", **SAME)]
    found = Derived(raw, register, day)
    assert {room: fields["displays"] for room, fields in by_room(found.rooms).items()} == {
        "6-1": 1, "6-2": 1,
    }  # fmt: skip
    (one,), (other,) = shown(found.rooms).values()
    assert one.identity == other.identity
    assert one.kind == other.kind == "projector"
    # 08:00 to 08:40: the first half hour wholly, of the second ten minutes.
    assert (one.half_hours, other.half_hours) == (1 << 16, 1 << 20)


@pytest.mark.parametrize("lacking", ["maker", "model", "serial"])
def test_without_a_usable_identity_each_is_a_display_of_its_own(
    make: Any, register: Register, day: dt.date, lacking: str
) -> None:
    raw = []
    for n, room in ((1, "6-1"), (2, "6-2"), (3, "6-2")):
        raw += [make.agent(n, "08:00", room=room)]
        raw += [make.device(n, "08:00", "projector", **{**SAME, lacking: ""})]
    found = Derived(raw, register, day).rooms
    assert [point.fields["displays"] for point in found] == [1, 2]
    assert {one.identity for shows in shown(found).values() for one in shows} == {""}


def test_what_answers_in_a_projectors_place_equips_no_class(
    make: Any, register: Register, day: dt.date
) -> None:
    for fault, seen in (("not_pjlink", False), ("not PJLink", False), ("password_refused", True)):
        raw = [make.agent(1, "08:00", room="6-1")]
        raw += [make.device(1, "08:00", "projector", "10.1.1.9", fault=fault)]
        found = Derived(raw, register, day)
        assert [point.fields.get("seen", False) for point in found.devices] == [seen]
        assert [point.fields.get("display", False) for point in found.rooms] == [seen]


def test_two_pcs_of_a_room_see_one_projector(make: Any, register: Register, day: dt.date) -> None:
    raw = []
    for n in (1, 2):
        raw += [make.agent(n, "08:00", room="6-1"), make.device(n, "08:00", "projector", **SAME)]
    assert by_room(Derived(raw, register, day).rooms)["6-1"]["displays"] == 1


_AT = st.integers(0, 23 * 60).map(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}")
_READING = st.tuples(
    st.integers(1, 3),
    _AT,
    st.sampled_from(["6-1", "6-2", "lab", ""]),
    st.sampled_from(["display", "projector", "sound", "camera"]),
    st.booleans(),
    st.sampled_from(["", "lamp"]),
    st.sampled_from(["", "S1", "S2"]),
    st.booleans(),
)


def _raw(make: Any, readings: list[Any]) -> list[Point]:
    points = []
    for n, at, room, kind, present, fault, serial, weak in readings:
        points.append(make.agent(n, at, room=room, weak_id=weak))
        points.append(make.host(n, at, f"pc-{n}"))
        fields = {"present": present, "fault": fault, "maker": "M", "model": "X", "serial": serial}
        points.append(make.device(n, at, kind, **fields))
    return points


@_QUICK
@given(readings=st.lists(_READING, max_size=12), shuffled=st.randoms(use_true_random=False))
def test_the_order_of_reports_does_not_matter(
    make: Any, register: Register, day: dt.date, readings: list[Any], shuffled: Any
) -> None:
    raw = _raw(make, readings)
    mixed = list(raw)
    shuffled.shuffle(mixed)
    assert Derived(mixed, register, day).all == Derived(raw, register, day).all


@_QUICK
@given(readings=st.lists(_READING, max_size=12), cut=st.integers(0, 12))
def test_late_reports_give_what_all_at_once_would_have(
    make: Any, register: Register, day: dt.date, readings: list[Any], cut: int
) -> None:
    early = Derived(_raw(make, readings[:cut]), register, day)
    late = Derived(_raw(make, readings), register, day, early.all)
    assert late.all == Derived(_raw(make, readings), register, day).all
    assert Derived(_raw(make, readings), register, day, late.all).all == late.all


@_QUICK
@given(readings=st.lists(_READING, max_size=12), cut=st.integers(0, 12))
def test_flags_are_only_ever_set(
    make: Any, register: Register, day: dt.date, readings: list[Any], cut: int
) -> None:
    """Even where the telemetry behind a stored flag is gone."""
    first = Derived(_raw(make, readings[:cut]), register, day)
    later = Derived(_raw(make, readings[cut:]), register, day, first.all)
    flags = {
        (point.tags["device"], name)
        for point in first.devices
        for name in ("seen", "missing", "fault")
        if point.fields.get(name)
    }
    kept = {
        (point.tags["device"], name)
        for point in later.devices
        for name in ("seen", "missing", "fault")
        if point.fields.get(name)
    }
    assert flags <= kept
    seen = {point.tags["machine"] for point in first.machines}
    assert seen <= {point.tags["machine"] for point in later.machines}

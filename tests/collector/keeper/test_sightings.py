"""Which display was seen when: identities, stays, half hours, hidden EDIDs."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.probes import edid
from agent.wire import Device
from collector.compliance import displays
from collector.ingest.points import Frame, device_points
from collector.keeper import sightings
from collector.keeper.device_identity import merge_identities
from collector.keeper.devices import device_days
from collector.keeper.machines import machine_days
from collector.keeper.observations import reduce_day
from collector.keeper.rooms import display_rooms, room_days
from collector.keeper.sightings import Who, half_hours, identity_of, joined, told
from collector.roster.register import Register
from collector.store.base import Point

FULL = {
    "maker": "SHP", "model": "SHP1234", "name": "SHARP TV", "serial": "2008-DEMO", "year": 2019,
    "week": 12, "serial_number": "16843009",
}  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "differs"),
    [
        ({}, False),
        ({"connector": "HDMI-2"}, False),  # where it is says nothing of what it is
        ({"width_cm": 160}, False),
        ({"maker": "SHX"}, True),
        ({"model": "SHP1235"}, True),
        ({"name": "SHARP HDMI"}, True),
        ({"serial": "2008-DEMP"}, True),
        ({"serial_number": "16843010"}, True),
        ({"year": 2020}, True),
        ({"week": 13}, True),
    ],
)
def test_all_that_an_edid_says_makes_the_identity(fields: Any, differs: bool) -> None:
    assert (identity_of(FULL) != identity_of({**FULL, **fields})) is differs


@pytest.mark.parametrize("lacking", ["maker", "model", "serial"])
def test_without_these_there_is_none(lacking: str) -> None:
    assert identity_of({**FULL, lacking: ""}) == ""


def test_the_name_that_users_gave_a_network_projector_is_not_its_identity() -> None:
    on_network = {**FULL, "connector": "net:10.1.2.3"}
    assert identity_of({**on_network, "name": "六1班"}) == identity_of(on_network)
    assert identity_of({**on_network, "serial": "7"}) != identity_of(on_network)


@pytest.mark.parametrize(
    ("kind", "width", "is_told"),
    [
        ("projector", None, "projector"),
        ("monitor", 60, ""),
        ("display", None, "display"),
        ("camera", None, ""),
        ("screen", 34, ""),  # a laptop's
        ("screen", 60, ""),  # a desktop all-in-one's
        ("screen", 165, "panel"),  # an interactive panel's own PC
        ("screen", None, "screen"),
    ],
)
def test_what_a_display_is_by_its_own_word(kind: str, width: int | None, is_told: str) -> None:
    assert told(kind, width) == is_told


_seconds = st.lists(st.integers(0, 86_399), max_size=30)


@given(_seconds, st.integers(0, 30))
def test_stays_are_the_same_in_parts(seconds: list[int], cut: int) -> None:
    whole = joined((second, second) for second in seconds)
    parts = joined([*joined((s, s) for s in seconds[cut:]), *joined((s, s) for s in seconds[:cut])])
    assert parts == whole


@given(st.lists(st.integers(0, 2), min_size=96, max_size=96), st.integers(0, 299))
def test_one_device_carried_about_is_never_in_two_places_for_most_of_a_half_hour(
    places: list[int], offset: int
) -> None:
    """It stays a quarter of an hour or longer at each place; PCs look every five minutes."""
    seen: list[list[tuple[int, int]]] = [[], [], []]
    for second in range(offset, 86_400, 300):
        seen[places[second // 900]].append((second, second))
    filled = [half_hours(joined(stays)) for stays in seen]
    assert not filled[0] & filled[1] | filled[0] & filled[2] | filled[1] & filled[2]


def test_half_hours_are_filled_by_more_than_half() -> None:
    assert half_hours([(0, 900)]) == 0
    assert half_hours([(0, 901)]) == 1
    assert half_hours([(0, 500), (1000, 1402)]) == 1
    assert half_hours([(28_800, 36_000)]) == 0b1111 << 16
    assert half_hours([(86_399, 86_399)]) == 0


@given(st.lists(st.integers(0, 86_399), max_size=12, unique=True))
def test_half_hours_are_those_that_a_count_of_all_seconds_fills(times: list[int]) -> None:
    """Any stays apart from each other; each second between two ends counts."""
    ends = sorted(times)[: len(times) // 2 * 2]
    stays = list(zip(ends[::2], ends[1::2], strict=True))
    filled = Counter(second // 1800 for first, last in stays for second in range(first, last))
    assert half_hours(stays) == sum(1 << n for n, count in filled.items() if count > 900)


def _day(make: Any, register: Register, raw: list[Point], day: Any, before: Any = None) -> Any:
    """(device_day, room_day, what the next day knows) of PC 1 in room 6-1."""
    agents = [make.agent(1, f"{hour:02}:00", room="6-1", day=day, probes="displays")
              for hour in range(8, 18)]  # fmt: skip
    readings = merge_identities(raw, before or {})
    states = reduce_day(readings, agents, before or {})
    pcs = machine_days(agents, [], [], register, day)
    devices = device_days(readings, pcs, [], register, day)
    known = {key: one.known for key, one in states.items()}
    return devices, room_days(pcs, devices, register, day), known


def _shown(rooms: list[Point]) -> displays.Displays:
    (room,) = rooms
    return displays.read(str(room.fields["display_ids"]))


def test_two_displays_at_one_connector_are_two(make: Any, register: Register, day: Any) -> None:
    other = {**FULL, "serial": "OTHER"}
    raw = [make.device(1, f"08:{m:02}", "tv", **FULL) for m in range(0, 30, 5)]
    raw += [make.device(1, f"09:{m:02}", "tv", **other) for m in range(0, 30, 5)]
    _, rooms, _ = _day(make, register, raw, day)
    assert {one.identity: one.half_hours for one in _shown(rooms)} == {
        identity_of(FULL): 1 << 16, identity_of(other): 1 << 18,
    }  # fmt: skip


def test_a_hidden_edid_is_the_display_known_there_and_proves_no_place(
    make: Any, register: Register, day: Any
) -> None:
    raw = [make.device(1, f"08:{m:02}", "tv", **FULL) for m in range(0, 30, 5)]
    _, _, known = _day(make, register, raw, day)
    following = day + dt.timedelta(days=1)
    hidden = [make.device(1, f"{h:02}:00", "display", day=following) for h in range(8, 18)]
    _, rooms, known = _day(make, register, hidden, following, known)
    assert _shown(rooms) == (displays.Display(identity_of(FULL), "tv", 0),)
    third = following + dt.timedelta(days=1)
    hidden = [make.device(1, f"{h:02}:00", "display", day=third) for h in range(8, 18)]
    _, rooms, _ = _day(make, register, hidden, third, known)
    assert _shown(rooms) == (displays.Display(identity_of(FULL), "tv", 0),)


def test_a_hidden_edid_before_the_first_reading_is_not_a_second_display(
    make: Any, register: Register, day: Any
) -> None:
    raw = [make.device(1, "08:00", "display"), make.device(1, "09:00", "projector", **FULL)]
    _, rooms, _ = _day(make, register, raw, day)
    assert [one.identity for one in _shown(rooms)] == [identity_of(FULL)]


def test_rows_of_older_keepers_have_their_first_and_last_reading(
    make: Any, register: Register, day: Any
) -> None:
    raw = [make.device(1, at, "tv", **FULL) for at in ("08:00", "10:00")]
    devices, _, _ = _day(make, register, raw, day)
    older = {"seen", "first_ms", "last_ms", "maker", "model", "serial"}
    devices = [
        row._replace(fields={name: row.fields[name] for name in older & row.fields.keys()})
        for row in devices
    ]
    (one,) = sightings.displays_of(devices)
    assert (one.kind, one.half_hours) == ("tv", 0b1111 << 16)
    assert one.identity


def test_the_schools_list_names_each_displays_rooms(
    make: Any, register: Register, day: Any
) -> None:
    _, rooms, _ = _day(make, register, [make.device(1, "08:00", "tv", **FULL)], day)
    (point,) = display_rooms(rooms, [], register, make.school)
    assert json.loads(str(point.fields["display_rooms"])) == {identity_of(FULL): ["6-1"]}
    assert display_rooms([], [], register, make.school) == []
    assert display_rooms([], [point], register, make.school)[0].fields == {"display_rooms": ""}


def test_what_is_written_is_read() -> None:
    found = {
        Who("a1", "tv"): [(1, 5), (900, 901)],
        Who("", "display"): [(3, 3)],
        Who("b", "tv"): [],
    }
    again: sightings.Sightings = {}
    row = Point("device_day", {}, {"sightings": sightings.written(found)}, 0)
    sightings.add_stored(again, row)
    assert again == found
    assert sightings.latest(sightings.written(found)) == "a1:tv"
    assert sightings.latest("") == ""


_REAL = Path(__file__).parents[4] / "shared/edid/edids.jsonl"


def test_real_displays_of_one_filler_serial_are_told_apart(make: Any) -> None:
    """By what their EDIDs say beside it."""
    if not _REAL.exists():
        pytest.skip("the folder of real EDIDs is not here")
    whole: dict[str, set[str]] = {}
    for line in _REAL.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        device = edid.reading(edid.parse(bytes.fromhex(row["edid_hex"])), connector="HDMI-1",
                              connection="HDMI", internal=False)  # fmt: skip
        identity = identity_of(_point(device).fields)
        if identity:
            whole.setdefault(identity, set()).add(row["edid_hex"])
    assert len(whole) >= 5
    assert all(len(texts) == 1 for texts in whole.values())


def _point(device: Device) -> Point:
    return next(device_points(Frame({"machine": "a" * 32, "school": "1"}, {}, 0), [device]))

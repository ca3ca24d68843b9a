"""Computer rooms: a case a sentence of the methodology."""

from __future__ import annotations

from typing import Any

import pytest

from collector.compliance.computer_room import with_few_seats
from collector.compliance.model import Verdict
from collector.roster.register import COMPUTER_ROOM

V, N, D, C, S, U = Verdict


@pytest.mark.parametrize(
    ("seats", "pcs", "verdict"),
    [
        (40, 32, V),  # ceil(0.8 × 40)
        (40, 31, D),
        (41, 33, V),  # ceil(32.8)
        (41, 32, D),
        (35, 28, V),  # exactly 0.8: no rounding error asks for one more
        (1, 1, V),
        (None, 99, D),  # no registered seats, nothing to compare with
        (0, 99, S),  # a room of no seats is none
    ],
)
def test_enough_pcs_on_one_day(town: Any, seats: int | None, pcs: int, verdict: Verdict) -> None:
    town.room("机房", kind=COMPUTER_ROOM, seats=seats)
    town.saw("机房", (5,), pcs=pcs)
    assert town.unit("computer_room").verdict is verdict


@pytest.mark.parametrize(("together", "verdict"), [(32, V), (31, D), (1, D), (0, D)])
def test_ids_one_after_another_are_no_seats(town: Any, together: int, verdict: Verdict) -> None:
    """However many PCs reported that day: it is those in one same hour that count."""
    town.room("机房", kind=COMPUTER_ROOM, seats=40)
    town.saw("机房", (5,), pcs=40, together=together)
    assert town.unit("computer_room").verdict is verdict


def test_the_reading_that_cleared_an_inspection_s_no_is_said(town: Any) -> None:
    town.room("机房", kind=COMPUTER_ROOM, seats=40)
    town.inspected("computer_room", 300, False)
    town.saw("机房", (200,), pcs=40, together=33)
    town.saw("机房", (5,), pcs=40, together=20)
    unit = town.unit("computer_room")
    assert unit.verdict is D
    (room,) = [step for step in unit.steps if step.rule == "computer_room"]
    day = town.ago(200).isoformat()
    assert (room.numbers["last_met_day"], room.numbers["last_met_pcs"]) == (day, 33)
    assert day in room.zh
    assert day in room.en
    (cleared,) = [step for step in unit.steps if step.rule == "cleared"]
    assert cleared.numbers["yes"] == day


@pytest.mark.parametrize(("seats", "few"), [(9, True), (10, False), (None, False), (0, False)])
def test_rooms_under_ten_seats_are_listed(town: Any, seats: int | None, few: bool) -> None:
    town.room("机房", kind=COMPUTER_ROOM, seats=seats)
    town.room("101", seats=5)
    listed = with_few_seats(town.register(), town.schools.values())
    assert [room.room for room in listed] == (["机房"] if few else [])
    assert town.figure().notes["computer_rooms_few_seats"] == len(listed)


def test_a_school_that_changed_district_has_one_day_in_two_series(town: Any) -> None:
    town.room("机房", kind=COMPUTER_ROOM, seats=40)
    town.saw("机房", (5,), pcs=40, together=40)
    town.saw("机房", (5,), pcs=0, together=0)  # the row that the old district kept
    assert town.unit("computer_room").verdict is V
    town.room_days.reverse()
    assert town.unit("computer_room").verdict is V


def test_halves_on_two_days_are_not_one_same_day(town: Any) -> None:
    town.room("机房", kind=COMPUTER_ROOM, seats=40)
    town.saw("机房", (5, 6), pcs=20)
    assert town.unit("computer_room").verdict is D


def test_halves_in_two_rooms_are_not_one_room(town: Any) -> None:
    for room in ("机房1", "机房2"):
        town.room(room, kind=COMPUTER_ROOM, seats=40)
        town.saw(room, (5,), pcs=20)
    assert town.unit("computer_room").verdict is D


def test_one_room_of_two_is_enough(town: Any) -> None:
    town.room("机房1", kind=COMPUTER_ROOM, seats=40)
    town.room("机房2", kind=COMPUTER_ROOM, seats=40)
    town.saw("机房2", (5,), pcs=40)
    assert town.unit("computer_room").verdict is V


def test_pcs_of_another_type_of_room_prove_nothing(town: Any) -> None:
    town.room("图书馆", kind="图书室", seats=10)
    town.saw("图书馆", (5,), pcs=40)
    assert town.unit("computer_room").verdict is S


@pytest.mark.parametrize(("day", "verdict"), [(41, V), (42, D)])
def test_of_the_window(town: Any, day: int, verdict: Verdict) -> None:
    town.room("机房", kind=COMPUTER_ROOM, seats=40)
    town.saw("机房", (day,), pcs=40)
    assert town.unit("computer_room").verdict is verdict


@pytest.mark.parametrize(("seats", "verdict"), [(30, V), (29, S)])
def test_a_minimum_of_seats_is_a_setting(town: Any, seats: int, verdict: Verdict) -> None:
    town.room("机房", kind=COMPUTER_ROOM, seats=seats)
    town.saw("机房", (5,), pcs=seats)
    assert town.unit("computer_room").verdict is V
    assert town.unit("computer_room", min_seats=30).verdict is verdict


def test_telemetry_never_says_no(town: Any) -> None:
    """A PC that is off is not a missing one."""
    town.room("机房", kind=COMPUTER_ROOM, seats=40)
    town.saw("机房", range(1, 30), pcs=1)
    assert town.unit("computer_room").verdict is D


def test_the_register_lists_rooms_and_none_is_a_computer_room(town: Any) -> None:
    town.room("101")
    assert town.unit("computer_room").verdict is S


def test_a_register_without_rooms_says_nothing(town: Any) -> None:
    assert town.unit("computer_room").verdict is U


def test_a_computer_room_that_owns_no_computer_is_none(town: Any) -> None:
    town.room("机房", kind=COMPUTER_ROOM, seats=40, computer=0)
    assert town.unit("computer_room").verdict is S


def test_an_old_no_stands_until_telemetry_clears_it(town: Any) -> None:
    town.room("机房", kind=COMPUTER_ROOM, seats=40)
    town.inspected("computer_room", 500, False)
    assert town.unit("computer_room").verdict is C
    town.saw("机房", (600,), pcs=40)
    assert town.unit("computer_room").verdict is C
    town.saw("机房", (400,), pcs=40)
    assert town.unit("computer_room").verdict is D
    town.saw("机房", (4,), pcs=40)
    assert town.unit("computer_room").verdict is V

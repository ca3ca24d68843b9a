"""Classes: a case a sentence of the methodology."""

from __future__ import annotations

from typing import Any

import pytest

from collector.compliance.model import RoomDay, Verdict

V, N, D, C, S, U = Verdict
OWNED = {"computer": 1, "projector": 1}
#: The window up to Thursday 2026-12-31 holds 41 days before it.
BEFORE = range(50, 60)


def say(town: Any, room: str, *stretches: tuple[Any, bool]) -> None:
    for days, display in stretches:
        town.saw(room, days, *(["display"] if display else []))


CASES = [
    ("required set on at least 3 days", [((1, 6, 12), True)], OWNED, V),
    ("two days are not three", [((1, 6), True)], OWNED, D),
    ("three days of which one lies before the window", [((1, 6, 50), True)], OWNED, D),
    ("the window's first day counts", [((1, 6, 41), True)], OWNED, V),
    ("the day before it does not", [((1, 6, 42), True)], OWNED, D),
    ("a display on three days among many without", [(range(4, 20), False), ((1, 2, 3), True)],
     OWNED, V),
    ("a PC reports and lacks a piece on all its days", [((1, 2, 3, 4), False)], OWNED, C),
    ("one day that lacks it is all its days", [((7,), False)], OWNED, C),
    ("the register says no and telemetry too", [((1, 2), False)], {"computer": 1, "tv": 0}, S),
    ("the register says nothing and telemetry no", [((1, 2), False)], {}, S),
    ("seen whatever the register says", [((1, 2, 3), True)], {"computer": 1, "tv": 0}, V),
    ("without telemetry: declared", [], OWNED, D),
    ("without telemetry: short", [], {"computer": 1, "projector": 0}, S),
    ("without telemetry or register: unknown", [], {}, U),
    ("half a register is not a yes", [], {"computer": 1}, U),
    ("a monitor is no display of a classroom", [], {"computer": 1, "monitor": 1}, U),
    ("a panel, a TV, a display are", [], {"computer": 1, "panel": 1}, D),
    ("an old no stands", [(BEFORE, False)], OWNED, C),
    ("an old no, cleared by a later yes, old too", [(range(70, 80), False), (BEFORE, True)],
     OWNED, D),
    ("two days clear nothing", [(range(60, 70), False), ((50, 51), True)], OWNED, C),
    ("a no of the window before two good days stands", [((9,), False), ((1, 2), True)], OWNED, C),
    ("good days before it were a yes only if three", [((8, 9), True), ((1,), False)], OWNED, D),
    ("old good days were a yes, which no silence takes back", [((80, 81, 82), True),
     ((60, 61), False)], OWNED, D),
    ("silence after good days alone", [(BEFORE, True)], OWNED, D),
    ("a no of years ago", [((900,), False)], OWNED, C),
]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "owned", "verdict"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_class(town: Any, said: Any, owned: dict[str, int], verdict: Verdict) -> None:
    town.taught("一班", town.room("101", **owned))
    say(town, "101", *said)
    assert town.unit("multimedia").verdict is verdict


def test_sound_and_camera_by_setting(town: Any) -> None:
    town.taught("一班", town.room("101", **OWNED))
    town.saw("101", (1, 2, 3), "display")
    assert town.unit("multimedia").verdict is V
    assert town.unit("multimedia", required=("computer", "display", "sound")).verdict is S


def test_a_piece_seen_on_other_days_than_the_others_is_not_lacking(town: Any) -> None:
    town.taught("一班", town.room("101", **OWNED, sound=1))
    town.saw("101", (5,), "display", "sound")
    town.saw("101", (3, 4), "display")
    town.saw("101", (1, 2), "sound")
    assert town.unit("multimedia", required=("computer", "display", "sound")).verdict is D


def test_a_shared_room_counts_for_each_class(town: Any) -> None:
    town.room("101", **OWNED)
    town.taught("一班", "101")
    town.taught("二班", "101")
    town.saw("101", (1, 2, 3), "display")
    assert [unit.verdict for unit in town.figure().units if unit.indicator == "multimedia"] == [
        V,
        V,
    ]


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ([((1, 2, 3), True)], [((5, 6, 7), True)], V),  # "needs them all"
        ([((1, 2, 3), True)], [], D),
        ([((1, 2, 3), True)], [((1, 2, 3), False)], C),
        ([((1, 2, 3), True)], [(BEFORE, False)], C),
    ],
)
def test_a_class_of_several_rooms_needs_them_all(
    town: Any, first: Any, second: Any, verdict: Verdict
) -> None:
    town.taught("一班", town.room("101", **OWNED), town.room("102", **OWNED))
    say(town, "101", *first)
    say(town, "102", *second)
    assert town.unit("multimedia").verdict is verdict


def test_one_room_that_owns_none_makes_the_class_short(town: Any) -> None:
    town.taught("一班", town.room("101", **OWNED), town.room("102", computer=1, tv=0))
    assert town.unit("multimedia").verdict is S


def test_a_class_without_a_room_is_unknown(town: Any) -> None:
    town.taught("一班")
    assert town.unit("multimedia").verdict is U


def test_an_inspection_is_of_one_class(town: Any) -> None:
    town.taught("一班", town.room("101", **OWNED))
    town.taught("二班", "101")
    town.inspected("multimedia", 5, True, "一班")
    town.inspected("computer_room", 5, True)
    assert town.unit("multimedia", "一班").verdict is N
    assert town.unit("multimedia", "二班").verdict is D


def test_an_inspection_after_the_last_good_day_holds(town: Any) -> None:
    town.taught("一班", town.room("101", **OWNED))
    town.saw("101", (10, 11, 12), "display")
    town.inspected("multimedia", 5, False, "一班")
    assert town.unit("multimedia").verdict is C
    town.saw("101", (4,), "display")
    assert town.unit("multimedia").verdict is V


def test_a_row_on_which_no_pc_spoke_is_silence(town: Any) -> None:
    town.taught("一班", town.room("101", **OWNED))
    town.room_days.append(RoomDay(town.code, "101", town.ago(3)))
    assert town.unit("multimedia").verdict is D


def test_two_series_of_one_day_are_one_day(town: Any) -> None:
    town.taught("一班", town.room("101", **OWNED))
    for _ in range(3):
        town.saw("101", (3,), "display")
    assert town.unit("multimedia").verdict is D


def test_reasons_name_the_numbers(town: Any) -> None:
    town.taught("一班", town.room("101", **OWNED))
    town.saw("101", (1, 2), "display")
    town.saw("101", (3,))
    unit = town.unit("multimedia")
    room = next(step for step in unit.steps if step.rule == "room")
    assert room.numbers == {
        "room": "101",
        "days_reported": 3,
        "days_complete": 2,
        "days_needed": 3,
        "never_seen": [],
    }

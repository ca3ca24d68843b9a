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
    ("two lacking days are not three", [((7, 8), False)], OWNED, D),
    ("three lacking days of which one lies before the window", [((1, 6, 50), False)], OWNED, D),
    ("three lacking days on the window's edge", [((1, 6, 41), False)], OWNED, C),
    ("three lacking days, and a full one after the first", [((1, 2, 8), False), ((7,), True)],
     OWNED, D),
    ("three lacking days after the last full one", [((1, 2, 3), False), (range(4, 20), True)],
     OWNED, C),
    ("two lacking days after many full ones", [((1, 2), False), (range(4, 20), True)], OWNED, V),
    ("one full day ends any number of lacking days", [((1,), True), (range(2, 12), False),
     ((13, 14), True)], OWNED, V),
    ("the register says no and telemetry too", [((1, 2, 3), False)], {"computer": 1, "tv": 0}, S),
    ("the register says nothing and telemetry no", [((1, 2, 3), False)], {}, S),
    ("the register says nothing, two lacking days", [((1, 2), False)], {}, U),
    ("seen whatever the register says", [((1, 2, 3), True)], {"computer": 1, "tv": 0}, V),
    ("without telemetry: declared", [], OWNED, D),
    ("without telemetry: short", [], {"computer": 1, "projector": 0}, S),
    ("without telemetry or register: unknown", [], {}, U),
    ("half a register is not a yes", [], {"computer": 1}, U),
    ("a monitor is no display of a classroom", [], {"computer": 1, "monitor": 1}, U),
    ("a panel, a TV, a display are", [], {"computer": 1, "display": 1}, D),
    ("a panel holds a PC", [], {"panel": 1}, D),
    ("unless the register says that it does not", [], {"panel_without_pc": 1}, U),
    ("such a panel beside a PC", [], {"panel_without_pc": 1, "computer": 1}, D),
    ("no PC of its own, and the panel's", [], {"panel": 1, "computer": 0}, D),
    ("no panel says nothing of a PC", [], {"panel": 0}, S),
    ("a projector and no panel", [], {"panel": 0, "projector": 1}, U),
    ("an old no stands", [(BEFORE, False)], OWNED, C),
    ("an old no, cleared by a later yes, old too", [(range(70, 80), False), (BEFORE, True)],
     OWNED, D),
    ("two days clear nothing", [(range(60, 70), False), ((50, 51), True)], OWNED, C),
    ("a no before two good days stands", [((9, 10, 11), False), ((1, 2), True)], OWNED, C),
    ("a no before three good days does not", [((9, 10, 11), False), ((1, 2, 3), True)], OWNED, V),
    ("good days before it were a yes only if three", [((8, 9), True), ((1,), False)], OWNED, D),
    ("what was cleared stays cleared", [((90, 91, 92), False), ((70, 71, 72), True),
     ((60, 61), False)], OWNED, D),
    ("until three lack it again", [((90, 91, 92), False), ((70, 71, 72), True),
     ((60, 61, 62), False)], OWNED, C),
    ("old good days, then bad ones, then silence", [((80, 81, 82), True), ((60, 61, 62), False)],
     OWNED, C),
    ("silence after good days alone", [(BEFORE, True)], OWNED, D),
    ("a no of years ago", [((900, 901, 902), False)], OWNED, C),
    ("a lacking day each year is none", [((10, 380, 740), False)], OWNED, D),
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
    assert town.unit("multimedia", required=("computer", "display", "camera")).verdict is S
    town.saw("101", (0,), "display", "sound")  # one good day is no yes: the no stands
    assert town.unit("multimedia", required=("computer", "display", "sound")).verdict is S


@pytest.mark.parametrize(("together", "verdict"), [((), C), ((8, 9), C), ((8, 9, 10), C),
                                                   ((0, 8, 9), V)])  # fmt: skip
def test_all_pieces_on_the_same_day(town: Any, together: Any, verdict: Verdict) -> None:
    town.taught("一班", town.room("101", **OWNED, sound=1))
    town.saw("101", (3, 4, 5), "display")
    town.saw("101", (1, 2), "sound")
    town.saw("101", together, "display", "sound")
    assert town.unit("multimedia", required=("computer", "display", "sound")).verdict is verdict


def test_a_shared_room_counts_for_each_class(town: Any) -> None:
    town.room("101", **OWNED)
    town.taught("一班", "101")
    town.taught("二班", "101")
    town.saw("101", (1, 2, 3), "display")
    assert [unit.verdict for unit in town.figure().units if unit.indicator == "multimedia"] == [
        V,
        V,
    ]


_NO, _YES = [((1, 2, 3), False)], [((5, 6, 7), True)]
_ZERO = {"computer": 1, "tv": 0}
PARTS = [
    (_YES, OWNED, _YES, OWNED, V),  # "needs them all"
    (_YES, OWNED, [], OWNED, D),
    (_YES, OWNED, _NO, OWNED, C),
    (_YES, OWNED, [(BEFORE, False)], OWNED, C),
    (_YES, _ZERO, [], OWNED, D),  # the register's 0 is of the room that telemetry shows
    (_YES, {}, [], OWNED, D),
    (_YES, _ZERO, [], {}, U),
    (_YES, _ZERO, _YES, {}, V),
    (_YES, OWNED, [], _ZERO, S),
    (_NO, OWNED, [], {}, C),  # a no is a no, whatever is known of the other room
    (_NO, OWNED, [], _ZERO, S),
    (_NO, {}, [], OWNED, S),
    (_NO, {}, _NO, OWNED, S),
    ([((1, 2), False)], OWNED, _YES, _ZERO, D),
]


@pytest.mark.parametrize(("first", "owns", "second", "owns_too", "verdict"), PARTS)
def test_each_room_of_a_class_by_its_own_evidence(
    town: Any, first: Any, owns: Any, second: Any, owns_too: Any, verdict: Verdict
) -> None:
    town.taught("一班", town.room("101", **owns), town.room("102", **owns_too))
    town.taught("二班", "102", "101")
    say(town, "101", *first)
    say(town, "102", *second)
    found = {unit.verdict for unit in town.figure().units if unit.indicator == "multimedia"}
    assert found == {verdict}


def test_an_expired_inspection_leaves_the_register_s_word(town: Any) -> None:
    town.taught("一班", town.room("101", **OWNED), town.room("102"))
    say(town, "101", (range(500, 510), False))
    assert town.unit("multimedia").verdict is C
    town.inspected("multimedia", 450, True, "一班")
    assert town.unit("multimedia").verdict is U


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
    town.saw("101", (2, 3), "display")
    town.saw("101", (1, 4))
    unit = town.unit("multimedia")
    room = next(step for step in unit.steps if step.rule == "room")
    assert room.numbers == {
        "room": "101",
        "days_reported": 4,
        "days_complete": 2,
        "days_needed": 3,
        "days_lacking": 1,
        "lacking": ["display"],
        "days_kind_from_register": 0,
        "kind_from_register": False,
        "days_elsewhere": 0,
        "days_kind_unknown": 0,
    }
    assert "2 天看到计算机和显示设备" in room.zh
    assert "最近一次齐全以后 1 天没有显示设备（满 3 天为缺）" in room.zh
    assert "no display on 1 day since it was last complete (3 make a no)" in room.en


def test_what_cleared_an_earlier_no_is_said(town: Any) -> None:
    town.taught("一班", town.room("101", **OWNED))
    town.saw("101", (3, 4, 5), "display")
    town.saw("101", (9, 10, 11))
    unit = town.unit("multimedia")
    assert unit.verdict is V
    step = next(step for step in unit.steps if step.rule == "cleared")
    assert step.numbers == {
        "room": "101", "no": town.ago(9).isoformat(), "yes": town.ago(5).isoformat(),
    }  # fmt: skip
    town.room_days = town.room_days[1:]
    town.saw("101", (20, 21, 22), "display")
    assert "cleared" in {step.rule for step in town.unit("multimedia").steps}
    town.room_days = [row for row in town.room_days if row.day != town.ago(10)]
    assert "cleared" not in {step.rule for step in town.unit("multimedia").steps}

"""Of what kind a display is: told by itself, by the register, or open."""

from __future__ import annotations

from typing import Any

import pytest

from carried_displays import (
    OWNED,
    C,
    D,
    S,
    U,
    V,
    one,
    rooms_of,
    saw,
    values,
)
from collector.compliance.model import Verdict

KINDS = [
    ("told by itself", [one(kind="tv")], {}, V, False),
    ("by the register", [one(kind="display")], OWNED, V, True),
    ("also without an identity", [one("", kind="display")], {"computer": 1, "tv": 2}, V, True),
    ("a panel without a PC", [one(kind="display")], {"panel_without_pc": 1}, V, True),
    ("no word: open", [one(kind="display")], {"computer": 1}, U, False),
    ("a 0 is no kind", [one(kind="display")], {"computer": 1, "projector": 0}, S, False),
    ("a monitor is no display", [one(kind="display")], {"computer": 1, "monitor": 1}, U, False),
    ("it may be the monitor", [one(kind="display")], {**OWNED, "monitor": 1}, D, False),
    ("not both are", [one(kind="display"), one("b", kind="display")], {**OWNED, "monitor": 1}, V,
     True),
    ("a built-in screen of a panel", [one(kind="screen")], {"panel": 1}, V, True),
    ("a laptop's beside a projector", [one(kind="screen")], OWNED, C, False),
    ("a built-in screen and no word", [one(kind="screen")], {"computer": 1}, U, False),
    ("one that is told beside", [one(kind="display"), one("b", kind="tv")], {}, V, False),
]  # fmt: skip


@pytest.mark.parametrize(("shown", "owned", "verdict", "by_register"),
                         [case[1:] for case in KINDS], ids=[case[0] for case in KINDS])  # fmt: skip
def test_the_kind_of_a_display(
    town: Any, shown: Any, owned: Any, verdict: Verdict, by_register: bool
) -> None:
    town.taught("一", town.room("101", **owned))
    saw(town, "101", range(1, 6), *shown)
    unit = town.unit("multimedia")
    assert unit.verdict is verdict
    step = next(step for step in unit.steps if step.rule == "room")
    assert ("种类取自台账" in step.zh) is by_register
    assert town.figure().notes["classes_kind_from_register"] == int(by_register)


def test_kinds_from_the_register_are_counted_apart_only_where_needed(town: Any) -> None:
    rooms_of(town, 2)
    saw(town, "101", range(1, 4), one(kind="tv"))
    saw(town, "101", range(4, 9), one("c", kind="display"))
    saw(town, "202", range(1, 3), one("b", kind="tv"))
    saw(town, "202", range(4, 9), one("d", kind="display"))
    assert values(town) == [V, V]
    assert town.figure().notes["classes_kind_from_register"] == 1


def test_a_carried_display_makes_no_projector_of_a_room_s_own_monitor(town: Any) -> None:
    """Five rooms with a monitor of unknown kind each; what their register names passes through."""
    rooms = rooms_of(town, 5, **OWNED, monitor=1)
    for n, room in enumerate(rooms):
        own, carried = one(f"a{n}", kind="display"), one("b", kind="display")
        here = set(range(3 * n, 3 * n + 3))
        saw(town, room, here, own, carried)
        saw(town, room, set(range(40)) - here, own)
    assert values(town) == [D] * 5


def test_the_display_that_counts_for_a_room_is_told_from_its_monitor(town: Any) -> None:
    rooms = rooms_of(town, 2, **OWNED, monitor=1)
    for n, room in enumerate(rooms):
        own, carried = one(f"a{n}", kind="display"), one("b", kind="display")
        saw(town, room, range(5 * n, 5 * n + 4 + n), own, carried)
    assert values(town) == [D, V]

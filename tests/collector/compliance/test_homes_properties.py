"""What holds of carried displays whatever rooms saw: order, removal, silence, sums."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from carried_displays import (
    MORNING,
    NOON,
    OWNED,
    C,
    D,
    N,
    S,
    U,
    V,
    one,
    saw,
    verdicts,
)
from collector.compliance.displays import Display

_day = st.integers(0, 12) | st.integers(36, 48) | st.integers(0, 120)
_shown = st.lists(
    st.builds(
        Display, st.sampled_from(["", *(c * 12 for c in "abcd")]),
        st.sampled_from(["projector", "display"]), st.sampled_from([0, MORNING, NOON]),
    ),
    max_size=2, unique_by=lambda shown: (shown.identity, shown.kind),
)  # fmt: skip
_rows = st.dictionaries(st.tuples(st.integers(0, 5), _day), _shown, max_size=25)
CODES = ("9901020001", "9901020002")


def build(new_town: Callable[[], Any], rows: Any, owned: Any = OWNED) -> Any:
    town = new_town()
    for code in CODES:
        town.school(code)
        for room in "123":
            town.taught(room, town.room(room, code=code, **owned), code=code)
    for (place, day), shown in rows.items():
        saw(town, "123"[place % 3], (day,), *shown, code=CODES[place // 3])
    return town


def good(town: Any, cutoff: dt.date | None = None) -> set[tuple[str, str]]:
    return {
        (unit.school, unit.name)
        for unit in town.figure(cutoff).units
        if unit.indicator == "multimedia" and unit.verdict is V
    }


RANK = {V: 4, N: 4, D: 3, U: 2, C: 1, S: 0}


@given(_rows, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_order_is_irrelevant(new_town: Any, rows: Any, shuffled: Any) -> None:
    town = build(new_town, rows)
    before = town.figure()
    shuffled.shuffle(town.room_days)
    assert [(u.verdict, u.steps) for u in town.figure().units] == [
        (u.verdict, u.steps) for u in before.units
    ]


RANK = {V: 4, N: 4, D: 3, U: 2, C: 1, S: 0}


@given(_rows, st.integers(0, 5), st.data())
@settings(max_examples=100, deadline=None)
def test_removing_what_a_room_saw_never_raises_its_class(
    new_town: Any, rows: Any, place: int, data: Any
) -> None:
    """Days on which the required set was seen; days that lack a piece are evidence of a no."""
    mine = [key for key in rows if key[0] == place and rows[key]]
    gone = data.draw(st.sets(st.sampled_from(mine))) if mine else set()
    unit = CODES[place // 3], "123"[place % 3]
    before = verdicts(build(new_town, rows))[unit]
    town = build(new_town, {key: shown for key, shown in rows.items() if key not in gone})
    assert RANK[verdicts(town)[unit]] <= RANK[before]


@given(_rows, st.integers(1, 130))
@settings(max_examples=60, deadline=None)
def test_days_without_new_evidence_never_turn_a_yes_into_a_no(
    new_town: Any, rows: Any, later: int
) -> None:
    town = build(new_town, rows)
    was = good(town)
    found = {
        (unit.school, unit.name): unit.verdict
        for unit in town.figure(town.cutoff + dt.timedelta(days=later)).units
        if unit.indicator == "multimedia"
    }
    assert all(found[unit] in (V, D) for unit in was)
    assert good(town, town.cutoff + dt.timedelta(days=later)) <= was


@given(_rows)
@settings(max_examples=60, deadline=None)
def test_a_unit_that_is_met_never_lowers_the_headline(new_town: Any, rows: Any) -> None:
    town = build(new_town, rows)
    before = town.figure().tallies["630100", "multimedia"]
    town.taught("新", town.room("新", **OWNED))
    saw(town, "新", (1, 2, 3), one("e"))
    after = town.figure().tallies["630100", "multimedia"]
    assert after.verified >= before.verified
    assert after.counts[V] == before.counts[V] + 1


@given(_rows, st.data())
@settings(max_examples=60, deadline=None)
def test_never_more_rooms_than_devices(new_town: Any, rows: Any, data: Any) -> None:
    """With displays that all have an identity, and never two at one time: a device, a room."""
    rows = {
        key: [Display(one.identity or "f" * 12, one.kind) for one in shown]
        for key, shown in rows.items()
    }
    identities = {one.identity for shown in rows.values() for one in shown}
    assert len(good(build(new_town, rows))) <= len(identities)

"""What holds of a figure whatever its evidence: order, removal, one more school, none at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.common.calendar import CITY_TIME
from agent.common.vocabulary.indicators import INDICATORS
from collector.compliance.model import Evidence, LineTest, Verdict
from collector.roster.register import Inspection
from random_towns import SLOTS, LineDays, Room, Schools, build, lines, rooms, schools, shares


@given(schools, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_the_evidence_is_nothing(
    new_town: Callable[[], Any], rows: Schools, random: Random
) -> None:
    town = build(new_town, rows)
    figure = town.figure()
    for stream in (town.room_days, town.tests, town.records, town.inspections, town.equipment):
        random.shuffle(stream)
    assert town.figure().units == figure.units
    assert town.figure().lines == figure.lines


@given(st.lists(st.integers(0, 59), min_size=12, max_size=12, unique=True))
@settings(max_examples=40, deadline=None)
def test_the_order_within_a_day_is_nothing(new_town: Callable[[], Any], minutes: list[int]) -> None:
    """Twelve tests of six days, at any minutes of the hour: two of them good, or a no."""
    town = new_town()
    town.school()
    town.line()
    for nth, minute in enumerate(minutes):
        rate = 20.0 if nth in (3, 7) else 6.0
        town.tested(rate, [60 + nth // 2], at=dt.time(18, minute))
    assert town.figure(town.ago(50)).lines[0].verdict is Verdict.VERIFIED
    assert town.figure().lines[0].verdict is Verdict.DECLARED


RANKS = {Verdict.VERIFIED: 5, Verdict.INSPECTED: 4, Verdict.DECLARED: 3, Verdict.UNKNOWN: 2}


def is_good(row: Any) -> bool:
    """Whether a row says yes and nothing else.

    A quiet test, though high, is among those of which a no needs ten: it is evidence of that no.
    """
    if isinstance(row, LineTest):
        at = dt.datetime.fromtimestamp(row.time // 10**9, CITY_TIME)
        in_lesson = at.weekday() < 5 and at.time() >= SLOTS[2] and at.time() < SLOTS[1]
        return in_lesson and (row.down_mbps or 0.0) >= 9.7
    return bool(row.found) if isinstance(row, Inspection) else row.room == "机房"


@given(st.tuples(rooms, lines), st.data())
@settings(max_examples=80, deadline=None)
def test_no_good_evidence_can_be_removed_to_raise(
    new_town: Callable[[], Any], row: tuple[Room, LineDays], data: Any
) -> None:
    town = build(new_town, [row])
    before = town.figure().units
    good = list(filter(is_good, [*town.tests, *town.inspections, *town.room_days]))
    if not good:
        return
    gone = data.draw(st.sampled_from(good))
    for name in ("tests", "inspections", "room_days"):
        setattr(town, name, [row for row in getattr(town, name) if row is not gone])
    for old, new in zip(before, town.figure().units, strict=True):
        assert RANKS.get(new.verdict, 1) <= RANKS.get(old.verdict, 1), (gone, old, new)


#: All of it met: three days with a display, its PCs on at once, ten quiet tests on ten days.
MET = (
    Room(days=dict.fromkeys((1, 2, 3), True), pcs=10, seats=10, owned=1, visits=[]),
    LineDays(tests=[(day, 0, 10.0) for day in range(1, 11)], contract=10.0, visits=[]),
)


@given(schools)
@settings(max_examples=40, deadline=None)
def test_a_school_that_is_met_never_lowers_a_headline(
    new_town: Callable[[], Any], rows: Schools
) -> None:
    before = build(new_town, rows).figure().tallies
    after = build(new_town, [*rows, MET]).figure().tallies
    for key, tally in before.items():
        own = after[key]
        assert shares(own)[0] >= shares(tally)[0]
        if own.all > tally.all:
            assert own.counts - tally.counts == {Verdict.VERIFIED: own.all - tally.all}
    for indicator in INDICATORS:
        assert after["630100", indicator].all == before["630100", indicator].all + 1


@pytest.mark.parametrize("indicator", INDICATORS)
def test_an_empty_town_has_no_figure(new_town: Callable[[], Any], indicator: str) -> None:
    tally = new_town().figure().tallies["630100", indicator]
    assert (tally.verified, tally.reported, tally.ceiling, tally.unknown) == (None,) * 4
    assert Evidence().simulated is False

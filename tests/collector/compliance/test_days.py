"""Days at their edges: midnight, a leap day, a new school, a school that changed district."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from collector.compliance.model import Verdict
from collector.compliance.window import Windows
from collector.config import Figure as Settings
from collector.roster.register import COMPUTER_ROOM

V, N, D, C, S, U = Verdict
FOUR = (1, 2, 3, 7)


@pytest.mark.parametrize(
    ("day", "at", "verdict"),
    [
        (0, dt.time(23, 59, 59), V),  # the cut-off's last second
        (-1, dt.time(0, 0, 0), D),
        (41, dt.time(0, 0, 0), V),  # the window's first second
        (42, dt.time(23, 59, 59), D),
    ],
)
def test_days_are_cut_at_local_midnight(town: Any, day: int, at: dt.time, verdict: Verdict) -> None:
    town.line()
    town.tested(12.0, FOUR, times=2)
    town.tested(12.0, (4,))
    town.tested(12.0, (day,), at=at, seconds=0.0)
    assert town.unit("line").verdict is verdict


def test_two_tests_around_midnight_are_on_two_days(town: Any) -> None:
    town.line()
    town.tested(12.0, FOUR[:3], times=3)
    town.tested(12.0, (9,), at=dt.time(23, 59, 59))
    assert town.unit("line").verdict is D  # 10 on 4 days
    town.tests.pop()
    town.records.pop()
    town.tested(12.0, (9,), at=dt.time(23, 59, 59))
    town.tested(12.0, (8,), at=dt.time(0, 0, 1), seconds=1.0)
    assert town.unit("line").verdict is V


def test_a_leap_day_is_a_day_like_others(new_town: Any) -> None:
    town = new_town()
    town.cutoff = dt.date(2028, 2, 29)  # a Tuesday
    town.school()
    town.line()
    town.tested(12.0, (0, 1, 4, 5, 6), times=2)
    town.inspected("line", 0, found=True)
    town.inspected("multimedia", 0, True, "一班")
    town.taught("一班", town.room("101"))
    assert town.unit("line").verdict is V
    (seen,) = [step for step in town.unit("line").steps if step.rule == "inspection"]
    assert seen.numbers["valid_until"] == "2029-02-28"
    for last, verdict in ((dt.date(2029, 2, 28), N), (dt.date(2029, 3, 1), U)):
        units = town.figure(last).units
        assert next(unit for unit in units if unit.indicator == "multimedia").verdict is verdict
    windows = Windows(town.calendar, Settings())
    assert windows.first(dt.date(2028, 3, 1)) == dt.date(2028, 1, 20)  # 30 weekdays, one the 29th


def test_a_school_open_for_twelve_days(town: Any) -> None:
    """Its window is those 12 days; what came before it opened is not its evidence."""
    town.schools[town.code] = dataclasses.replace(town.schools[town.code], opened=town.ago(15))
    town.line()
    town.room("机房", kind=COMPUTER_ROOM, seats=40)
    town.tested(12.0, (16, 17, 18, 19, 20), times=2)
    town.saw("机房", (16,), pcs=40)
    assert town.unit("line").verdict is D
    assert town.unit("computer_room").verdict is D
    town.tested(12.0, (15, 14, 10, 9, 8), times=2)
    town.saw("机房", (15,), pcs=40)
    windows = Windows(town.calendar, Settings())
    assert windows.up_to(town.cutoff, town.ago(15)).open_days == 12
    assert town.unit("line").verdict is V
    assert town.unit("computer_room").verdict is V


def test_a_no_from_before_the_school_opened_is_none(town: Any) -> None:
    town.schools[town.code] = dataclasses.replace(town.schools[town.code], opened=town.ago(15))
    town.line()
    town.tested(5.0, (16, 17, 18, 19, 20), times=2)
    assert town.unit("line").verdict is D


def test_a_school_that_changed_district_keeps_its_evidence(town: Any) -> None:
    town.line()
    town.tested(12.0, (20, 21, 22, 23, 24), times=2)
    before = town.figure()
    town.schools[town.code] = dataclasses.replace(
        town.schools[town.code], district="630103", responsible="630103"
    )
    after = town.figure()
    assert before.tallies["630102", "line"].counts == {V: 1}
    assert after.tallies["630103", "line"].counts == {V: 1}
    assert ("630102", "line") not in after.tallies


def test_no_units_are_no_share(new_town: Any) -> None:
    figure = new_town().figure()
    assert figure.units == []
    assert figure.tallies["630100", "line"].verified is None
    assert figure.notes["computer_rooms_few_seats"] == 0

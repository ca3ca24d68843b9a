"""Yesterday while today goes on, and another keeper's notes while clocks are set."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator

import pytest

from collector.keeper import others
from collector.keeper.midnight import midnight
from collector.store.base import Point

from .conftest import DAY, SCHOOL, MakePoints
from .passes import (
    Fragile,
    S,
    keeper,
    pass_over,
    projector,
    rows,
    stores,
)  # fmt: skip

YESTERDAY = DAY - dt.timedelta(days=1)
PAST_MIDNIGHT = midnight(DAY) + 1800 * S


@pytest.fixture
def past_midnight(make: MakePoints) -> Iterator[tuple[Fragile, list[Point]]]:
    """A store of two days, derived, today's with a theft; and what came of yesterday after that.

    That says the projector was stolen yesterday.
    """
    known = [projector(make, at, YESTERDAY, present=True) for at in ("10:00", "10:05")]
    known += [projector(make, at, DAY, present=False) for at in ("00:05", "00:10")]
    late = [projector(make, at, YESTERDAY, present=False) for at in ("23:50", "23:55")]
    with stores(1) as (store,):
        store.write([point for points in known for point in points])
        pass_over(keeper(store, now=PAST_MIDNIGHT), {(SCHOOL, 0): 0, (SCHOOL, -1): 0})
        assert [p.fields["event"] for p in store.read("event", midnight(DAY), 2**62)] == ["gone"]
        yield store, [point for points in late for point in points]


def is_as_whole(store: Fragile) -> bool:
    """Whether a whole derivation changes nothing, and the theft was yesterday."""
    before = rows(store)
    pass_over(keeper(store, now=PAST_MIDNIGHT), {(SCHOOL, 0): 0, (SCHOOL, -1): 0})
    events = [p.fields["event"] for p in store.read("event", midnight(DAY), 2**62)]
    return rows(store) == before and events == ["withdrawn"]


def test_a_day_that_goes_on_is_followed_by_one_derived_before_the_start(
    past_midnight: tuple[Fragile, list[Point]],
) -> None:
    store, late = past_midnight
    restarted = keeper(store, now=PAST_MIDNIGHT)
    pass_over(restarted, {(SCHOOL, -1): 0})
    store.write(late)
    pass_over(restarted, {(SCHOOL, -1): late[0].time})
    assert is_as_whole(store)


def test_what_came_for_yesterday_during_the_first_run_past_midnight_changes_today(
    past_midnight: tuple[Fragile, list[Point]],
) -> None:
    """The hour rows read that day too: its own rows are left to the mark, which today follows."""
    store, late = past_midnight
    one = keeper(store, now=PAST_MIDNIGHT)
    pass_over(one, {(SCHOOL, 0): 0})
    store.write(late)
    one.run_once(dt.datetime.fromtimestamp(PAST_MIDNIGHT // S, dt.UTC))
    pass_over(one, {(SCHOOL, -1): late[0].time})
    assert is_as_whole(store)


@pytest.mark.parametrize("off_s", [-7200, 7200])
def test_a_clock_that_was_set_may_have_hidden_another_keeper(
    monkeypatch: pytest.MonkeyPatch, off_s: int
) -> None:
    with stores(1) as (store,):
        one, clock = keeper(store), time.time_ns
        assert [one.begin(), one.begin()] == [False, False]
        monkeypatch.setattr(others.time, "time_ns", lambda: clock() + off_s * S)
        assert [one.begin(), one.begin()] == [True, False]

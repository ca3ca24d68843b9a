"""Schools' days marked to be derived: on disk until they are derived, also by another process."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.service.pipeline.pending_days import ROUND_NS, Pair, PendingDays, order

MONDAY = dt.date(2026, 3, 2)
ONE, TWO = Pair("9900000001", MONDAY), Pair("9900000002", MONDAY)
NOON = ROUND_NS * 88_000_000


@pytest.fixture
def days(tmp_path: Path) -> Iterator[PendingDays]:
    made = PendingDays(tmp_path / "days.db")
    yield made
    made.close()


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[PendingDays]:
    """The same file in the keeper's process."""
    made = PendingDays(tmp_path / "days.db")
    yield made
    made.close()


def test_what_is_marked_while_it_is_derived_stays_from_its_own_first_report(
    days: PendingDays, keeper: PendingDays, tmp_path: Path
) -> None:
    days.mark({ONE: 3 * NOON, TWO: 3 * NOON})
    taken = keeper.take()
    days.mark({ONE: 4 * NOON})
    keeper.done(taken)
    again = PendingDays(tmp_path / "days.db")
    assert {pair: one.since for pair, one in again.take().items()} == {ONE: 4 * NOON}
    again.done(again.take())
    assert again.take() == {}
    again.close()


def test_what_was_taken_and_not_done_is_taken_again_with_what_came_since(
    days: PendingDays, keeper: PendingDays
) -> None:
    days.mark({ONE: 3 * NOON})
    first = keeper.take()
    days.mark({ONE: 2 * NOON, TWO: 5 * NOON})
    second = keeper.take()
    assert {pair: one.since for pair, one in second.items()} == {ONE: 2 * NOON, TWO: 5 * NOON}
    keeper.done(first)
    assert set(keeper.take()) == {ONE, TWO}, "the first run did not see the later report"


def test_marking_what_is_marked_costs_nothing_until_another_process_takes_it(
    days: PendingDays, keeper: PendingDays
) -> None:
    days.mark({ONE: NOON + 5})
    written = days._db.total_changes
    days.mark({ONE: NOON + 7})
    days.mark({ONE: NOON + ROUND_NS * 3})
    assert days._db.total_changes == written
    days.mark({ONE: NOON - 1})
    assert days._db.total_changes > written, "an earlier report"
    keeper.done(keeper.take())
    days.mark({ONE: NOON + 9})
    assert set(keeper.take()) == {ONE}


def test_the_oldest_mark_is_that_of_what_is_not_done(
    days: PendingDays, keeper: PendingDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert days.oldest() is None
    for at, pair in ((100.0, ONE), (160.0, TWO)):
        monkeypatch.setattr(time, "time", lambda at=at: at)
        days.mark({pair: NOON})
    taken = keeper.take()
    assert days.oldest() == 100.0
    keeper.done({ONE: taken[ONE]})
    assert days.oldest() == 160.0
    keeper.done(taken)
    assert days.oldest() is None


def test_today_comes_first_and_a_long_arrear_last() -> None:
    def back(school: str, *ago: int) -> list[Pair]:
        return [Pair(school, MONDAY - dt.timedelta(days=n)) for n in ago]

    pairs = back("flood", *range(-1, 60)) + back("b", 0, 1) + back("a", 2, 1, 0)
    found = order(pairs, MONDAY)
    assert [pair.school for pair in found[:3]] == ["a", "b", "flood"]
    assert all(pair.day == MONDAY for pair in found[:3])
    assert found[3:6] == back("b", 1) + back("a", 2, 1)
    assert found[6:-1] == back("flood", *range(59, 0, -1))
    assert found[-1] == back("flood", -1)[0]

"""What is derived is derived once more later where reads may lack rows, and not for ever."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.service.keeper_thread import KeeperThread
from collector.service.pipeline.pending_days import NOTHING_NEW, Pair, PendingDays, Taken
from collector.service.second_looks import SecondLooks
from recording_deriver import BAD, GOOD, NOON, OTHER, SCHOOL, RecordingDeriver

HERE, THERE = Pair(SCHOOL, GOOD), Pair(OTHER, GOOD)


@pytest.fixture
def pending(tmp_path: Path) -> Iterator[PendingDays]:
    made = PendingDays(tmp_path / "days.db")
    yield made
    made.close()


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def looks(clock: list[float]) -> SecondLooks:
    return SecondLooks(10.0, lambda: clock[0])


def run(looks: SecondLooks, **marked: int) -> dict[Pair, int]:
    """A run in which these are marked; what it derives."""
    pairs = {"here": HERE, "there": THERE}
    taken = looks.added_to({pairs[name]: Taken(since, 1) for name, since in marked.items()})
    looks.derived(taken)
    return {pair: one.since for pair, one in taken.items()}


def test_once_more_and_no_more(looks: SecondLooks, clock: list[float]) -> None:
    assert run(looks, here=NOON) == {HERE: NOON}
    clock[0] = 59.0
    assert run(looks) == {}
    clock[0] = 61.0
    assert run(looks) == {HERE: NOON}
    clock[0] = 200.0
    assert run(looks) == {}


def test_each_report_of_a_school_that_goes_on_reporting_has_its_second_look(
    looks: SecondLooks, clock: list[float]
) -> None:
    derived = []
    for minute in range(5):
        clock[0] = 61.0 * minute
        derived.append(run(looks, here=NOON + minute)[HERE])
    assert derived == [NOON, NOON, NOON + 1, NOON + 2, NOON + 3]
    clock[0] += 61.0
    assert run(looks) == {HERE: NOON + 4}


def test_what_could_not_be_derived_keeps_its_look(looks: SecondLooks, clock: list[float]) -> None:
    run(looks, here=NOON, there=NOON)
    clock[0] = 61.0
    assert looks.added_to({}).keys() == {HERE, THERE}
    looks.derived([THERE])
    assert run(looks) == {HERE: NOON}


def test_what_no_report_marked_is_derived_once(
    pending: PendingDays, looks: SecondLooks, clock: list[float]
) -> None:
    pending.mark({HERE: NOTHING_NEW, THERE: 0})
    looks.derived(looks.added_to(pending.take()))
    clock[0] = 61.0
    assert run(looks) == {THERE: 0}


def test_a_store_that_reads_what_it_has_is_asked_once(clock: list[float]) -> None:
    looks = SecondLooks(0.0, lambda: clock[0])
    run(looks, here=NOON)
    clock[0] = 61.0
    assert run(looks) == {}


def test_the_keeper_looks_again_from_the_same_report_on(
    pending: PendingDays, monkeypatch: pytest.MonkeyPatch, looks: SecondLooks, clock: list[float]
) -> None:
    deriver = RecordingDeriver()
    thread = KeeperThread(deriver, pending, 60, readable_s=10.0)
    monkeypatch.setattr(thread._stopping, "wait", lambda seconds: False)
    monkeypatch.setattr(thread, "_looks", looks)
    pending.mark({HERE: NOON, Pair(OTHER, BAD): NOON})
    for _ in range(2):
        with pytest.raises(ValueError, match="no rule expects"):
            thread._once()
    assert deriver.pairs == [(HERE, NOON)]
    clock[0] = 61.0
    with pytest.raises(ValueError, match="no rule expects"):
        thread._once()
    assert deriver.pairs == [(HERE, NOON), (HERE, NOON)]
    assert list(pending.take()) == [Pair(OTHER, BAD)]


def test_past_days_that_are_marked_come_before_the_second_looks_of_others(
    pending: PendingDays, monkeypatch: pytest.MonkeyPatch, looks: SecondLooks, clock: list[float]
) -> None:
    deriver = RecordingDeriver()
    thread = KeeperThread(deriver, pending, 60, readable_s=10.0)
    monkeypatch.setattr(thread._stopping, "wait", lambda seconds: False)
    monkeypatch.setattr(thread, "_looks", looks)
    days = [GOOD + dt.timedelta(days=n) for n in range(3)]
    pending.mark({Pair(SCHOOL, day): NOON for day in days})
    for _ in range(7):
        thread._once()
        clock[0] += 61.0
    assert [pair.day for pair, _ in deriver.pairs] == [*days, *days]

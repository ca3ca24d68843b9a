"""The keeper's thread: a day that cannot be derived holds up neither the others nor the figure."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.common.calendar import CITY_TIME
from collector.service import keeper_thread as keeping
from collector.service.keeper_thread import KeeperThread
from collector.service.pipeline.pending_days import Pair, PendingDays
from recording_deriver import BAD, GOOD, NOON, OTHER, SCHOOL, Follows, RecordingDeriver


def test_one_bad_day_holds_up_nothing_and_stays_marked(tmp_path: Path) -> None:
    pending_days = PendingDays(tmp_path / "days.db")
    pending_days.mark({Pair(SCHOOL, BAD): 0, Pair(SCHOOL, GOOD): 0})
    deriver = RecordingDeriver()
    keeper_thread = KeeperThread(deriver, pending_days, period_s=60)
    keeper_thread.start()
    assert deriver.judged.wait(120)
    keeper_thread.stop(120)
    assert deriver.derived == [GOOD]
    assert list(pending_days.take()) == [Pair(SCHOOL, BAD)]
    pending_days.close()


@pytest.fixture
def pending(tmp_path: Path) -> Iterator[PendingDays]:
    made = PendingDays(tmp_path / "days.db")
    yield made
    made.close()


def _today() -> dt.date:
    return dt.datetime.now(CITY_TIME).date()


def test_a_flood_of_old_days_delays_today_by_no_more_than_a_run_allows(
    pending: PendingDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each old day takes ten seconds: three of them a run, today's schools before them."""
    today = _today()
    old = [Pair(OTHER, today - dt.timedelta(days=n)) for n in range(1, 60)]
    pending.mark(dict.fromkeys(old, 0) | {Pair(SCHOOL, today): NOON})
    clock = [0.0]
    monkeypatch.setattr(keeping, "time", SimpleNamespace(
        monotonic=lambda: clock[0], time_ns=time.time_ns, time=time.time
    ))  # fmt: skip

    class Slow(RecordingDeriver):
        def derive_school(self, school: str, day: dt.date, since: int, follows: Follows) -> None:
            clock[0] += 10.0
            super().derive_school(school, day, since, follows)

    deriver = Slow()
    keeper_thread = KeeperThread(deriver, pending, 60)
    keeper_thread._once()
    assert deriver.pairs[0] == (Pair(SCHOOL, today), NOON)
    assert [pair for pair, _ in deriver.pairs[1:]] == old[:-5:-1], "the oldest first"
    deriver.pairs.clear()
    pending.mark({Pair(SCHOOL, today): NOON})
    keeper_thread._once()
    assert deriver.pairs[0] == (Pair(SCHOOL, today), NOON)
    assert [pair for pair, _ in deriver.pairs[1:]] == old[-5:-9:-1]


def test_what_is_marked_is_read_once_the_store_can_be_read(
    pending: PendingDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    deriver = RecordingDeriver()
    keeper_thread = KeeperThread(deriver, pending, 60, readable_s=10.0)
    waited: list[tuple[float, int]] = []

    def wait(seconds: float) -> bool:
        waited.append((seconds, len(deriver.pairs)))
        pending.mark({Pair(OTHER, GOOD): NOON})  # comes meanwhile: for the next run
        return False

    monkeypatch.setattr(keeper_thread._stopping, "wait", wait)
    keeper_thread._once()
    assert waited == [], "nothing is marked"
    pending.mark({Pair(SCHOOL, GOOD): NOON})
    keeper_thread._once()
    assert waited == [(10.0, 0), (10.0, 1)], "before it derives, and before it judges"
    assert deriver.pairs == [(Pair(SCHOOL, GOOD), NOON)]
    assert list(pending.take()) == [Pair(OTHER, GOOD)]


def test_a_day_that_follows_is_marked_whole(pending: PendingDays) -> None:
    deriver = RecordingDeriver()
    deriver.following[Pair(SCHOOL, GOOD)] = GOOD + dt.timedelta(days=3)
    pending.mark({Pair(SCHOOL, GOOD): NOON})
    keeper_thread = KeeperThread(deriver, pending, 60)
    for _ in range(3):
        keeper_thread._once()
    following = Pair(SCHOOL, GOOD + dt.timedelta(days=3))
    assert deriver.pairs == [(Pair(SCHOOL, GOOD), NOON), (following, 0)]


def test_a_mark_of_every_school_is_one_of_each(pending: PendingDays) -> None:
    deriver = RecordingDeriver()
    pending.mark({Pair("", GOOD): 0, Pair(OTHER, GOOD): NOON})
    KeeperThread(deriver, pending, 60)._once()
    assert sorted(deriver.pairs) == [(Pair(SCHOOL, GOOD), 0), (Pair(OTHER, GOOD), 0)]
    assert pending.take() == {}


def test_what_was_derived_beside_another_keeper_is_derived_again_whole(
    pending: PendingDays,
) -> None:
    deriver = RecordingDeriver()
    keeper_thread = KeeperThread(deriver, pending, 60)
    pending.mark({Pair(SCHOOL, GOOD): NOON})
    keeper_thread._once()
    deriver.others = True
    keeper_thread._once()
    deriver.others = False
    keeper_thread._once()
    assert deriver.pairs == [(Pair(SCHOOL, GOOD), NOON), (Pair(SCHOOL, GOOD), 0)]


def test_schools_that_go_on_are_derived_together_and_others_alone(pending: PendingDays) -> None:
    today = _today()
    going = [f"98{n:08}" for n in range(50)]
    pending.mark({Pair(school, today): NOON for school in [*going, SCHOOL]})
    pending.mark({Pair(going[7], today): 0, Pair(going[3], today - dt.timedelta(days=1)): NOON})
    calls: list[tuple[int, dt.date]] = []

    class Together(RecordingDeriver):
        def goes_on(self, school: str, day: dt.date) -> bool:
            return school != SCHOOL

        def derive_schools(
            self, due: Mapping[str, int], day: dt.date, follows: Callable[[str, dt.date], object]
        ) -> dict[str, Exception]:
            calls.append((len(due), day))
            return {going[0]: ValueError("a bad day")} if going[0] in due else {}

    with pytest.raises(ValueError, match="a bad day"):
        KeeperThread(Together(), pending, 60)._once()
    assert calls == [
        *((size, today) for size in (7, 1, 20, 20, 2, 1)), (1, today - dt.timedelta(days=1))
    ]  # fmt: skip
    assert list(pending.take()) == [Pair(going[0], today)]

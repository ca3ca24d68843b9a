"""The keeper's thread: a day that cannot be derived holds up neither the others nor the figure."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.common.calendar import CITY_TIME
from collector.service import keeper_thread as keeping
from collector.service.keeper_thread import KeeperThread
from collector.service.pipeline.day_notes import note_of, noted
from collector.service.pipeline.pending_days import ROUND_NS, Pair, PendingDays
from collector.service.pipeline.writer import Writer
from collector.store.base import Point, UnavailableError, Value
from collector.store.sqlite import SqliteStore

HOUR_NS = 3600 * 10**9
BAD, GOOD = dt.date(2026, 11, 23), dt.date(2026, 11, 24)
SCHOOL, OTHER = "9900000001", "9900000002"
NOON = ROUND_NS * 88_000_000
Follows = Callable[[dt.date], object]


class _Deriver:
    """Fails on one day; tells when the clock's own work was done."""

    def __init__(self) -> None:
        self.derived: list[dt.date] = []
        self.pairs: list[tuple[Pair, int]] = []
        self.following: dict[Pair, dt.date] = {}
        self.others = False
        self.judged = threading.Event()

    def begin(self) -> bool:
        return self.others

    def schools(self) -> list[str]:
        return [SCHOOL, OTHER]

    def goes_on(self, school: str, day: dt.date) -> bool:
        return False

    def derive_schools(
        self, due: Mapping[str, int], day: dt.date, follows: Callable[[str, dt.date], object]
    ) -> dict[str, Exception]:
        failed: dict[str, Exception] = {}
        for school, since in due.items():
            try:
                self.derive_school(school, day, since, partial(follows, school))
            except ValueError as error:
                failed[school] = error
        return failed

    def derive_school(self, school: str, day: dt.date, since: int, follows: Follows) -> None:
        if day == BAD:
            raise ValueError("a row that no rule expects")
        self.derived.append(day)
        self.pairs.append((Pair(school, day), since))
        if following := self.following.get(Pair(school, day)):
            follows(following)

    def run_once(self, _now: dt.datetime) -> None:
        self.judged.set()


def test_one_bad_day_holds_up_nothing_and_stays_marked(tmp_path: Path) -> None:
    pending_days = PendingDays(tmp_path / "days.db")
    pending_days.mark({Pair(SCHOOL, BAD): 0, Pair(SCHOOL, GOOD): 0})
    deriver = _Deriver()
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

    class Slow(_Deriver):
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
    deriver = _Deriver()
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
    deriver = _Deriver()
    deriver.following[Pair(SCHOOL, GOOD)] = GOOD + dt.timedelta(days=3)
    pending.mark({Pair(SCHOOL, GOOD): NOON})
    keeper_thread = KeeperThread(deriver, pending, 60)
    for _ in range(3):
        keeper_thread._once()
    following = Pair(SCHOOL, GOOD + dt.timedelta(days=3))
    assert deriver.pairs == [(Pair(SCHOOL, GOOD), NOON), (following, 0)]


def test_a_mark_of_every_school_is_one_of_each(pending: PendingDays) -> None:
    deriver = _Deriver()
    pending.mark({Pair("", GOOD): 0, Pair(OTHER, GOOD): NOON})
    KeeperThread(deriver, pending, 60)._once()
    assert sorted(deriver.pairs) == [(Pair(SCHOOL, GOOD), 0), (Pair(OTHER, GOOD), 0)]
    assert pending.take() == {}


def test_what_was_derived_beside_another_keeper_is_derived_again_whole(
    pending: PendingDays,
) -> None:
    deriver = _Deriver()
    keeper_thread = KeeperThread(deriver, pending, 60)
    pending.mark({Pair(SCHOOL, GOOD): NOON})
    keeper_thread._once()
    deriver.others = True
    keeper_thread._once()
    deriver.others = False
    keeper_thread._once()
    assert deriver.pairs == [(Pair(SCHOOL, GOOD), NOON), (Pair(SCHOOL, GOOD), 0)]


def test_the_keeper_alone_notes_its_lag(
    tmp_path: Path, pending: PendingDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock(monkeypatch)
    with SqliteStore(tmp_path / "store.db") as store:
        pending.mark({Pair(SCHOOL, BAD): NOON})
        clock.now += 90 * 10**9
        keeper_thread = KeeperThread(_Deriver(), pending, 60, store)
        with pytest.raises(ValueError, match="no rule expects"):
            keeper_thread._once()
        (point,) = store.read("collector", 0, 2**62, fields=["keeper_lag_s"])
        assert point.fields == {"keeper_lag_s": 90.0}


def test_a_note_of_an_older_collector_is_of_every_school(
    tmp_path: Path, pending: PendingDays
) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        told: dict[str, Value] = {"days": GOOD.isoformat()}
        store.write([Point("collector", {}, told, time.time_ns())])
        store.write([Point("collector", {}, {"noted": "no note"}, time.time_ns())])
        deriver = _Deriver()
        KeeperThread(deriver, pending, 60, store)._once()
        assert sorted(deriver.pairs) == [(Pair(SCHOOL, GOOD), 0), (Pair(OTHER, GOOD), 0)]


class _Clock:
    """The clocks of every machine: `now` of the wall, in ns; the monotonic one goes with it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time_ns()
        monkeypatch.setattr(time, "time_ns", lambda: self.now)
        monkeypatch.setattr(time, "monotonic", lambda: self.now / 1e9)
        monkeypatch.setattr(time, "time", lambda: self.now / 1e9)


def test_a_note_that_a_store_took_after_an_hour_is_found(
    tmp_path: Path, bench: Any, message: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is down for an hour while a batch is in hand; the keeper has looked meanwhile."""
    clock = _Clock(monkeypatch)
    with SqliteStore(tmp_path / "store.db") as store:
        pending_days = PendingDays(tmp_path / "keeper.db")
        deriver = _Deriver()
        keeper_thread = KeeperThread(deriver, pending_days, 60, store)
        keeper_thread._once()
        begun, tries = clock.now, 0

        def write(points: list[Point]) -> None:
            nonlocal tries
            tries += 1
            if clock.now < begun + 2 * HOUR_NS:
                clock.now += 10 * 60 * 10**9
                keeper_thread._once()
                raise UnavailableError("down")
            SqliteStore.write(store, points)

        monkeypatch.setattr(bench.store, "write", write)
        monkeypatch.setattr(bench.stopping, "wait", lambda seconds: False)
        bench.hand(message(2))
        assert tries == 13
        assert bench.stored() == {2}
        assert deriver.derived == []
        keeper_thread._once()
        assert deriver.derived == [dt.date(2026, 1, 5)]  # the report's own
        pending_days.close()


def test_what_came_after_the_keeper_had_read_the_minutes_note_is_derived(
    tmp_path: Path, bench: Any, message: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day is noted once a minute: the keeper reads during one, and no report follows it."""
    clock = _Clock(monkeypatch)
    with SqliteStore(tmp_path / "store.db") as store:
        pending_days = PendingDays(tmp_path / "keeper.db")
        seen: list[int] = []

        class Counting(_Deriver):
            def derive_school(
                self, school: str, day: dt.date, since: int, follows: Follows
            ) -> None:
                seen.append(sum(1 for _ in store.read("agent", since, 2**62)))

        keeper_thread = KeeperThread(Counting(), pending_days, 60, store)
        monkeypatch.setattr(bench.store, "write", store.write)
        bench.hand(message(2))
        clock.now += 10 * 10**9
        keeper_thread._once()
        clock.now += 20 * 10**9
        bench.hand(message(3))
        assert bench.stored() == {2, 3}
        for _ in range(10):
            clock.now += 60 * 10**9
            keeper_thread._once()
        assert seen == [1, 2]
        pending_days.close()


def test_what_waited_for_the_store_since_an_earlier_minute_is_noted_anew(
    bench: Any, message: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock(monkeypatch)
    bench.hand(message(2))
    bench.store.failures.append(UnavailableError("down"))

    def wait(_seconds: float) -> bool:
        clock.now += HOUR_NS
        return False

    monkeypatch.setattr(bench.stopping, "wait", wait)
    bench.hand(message(3))
    noted = [point.time for point in bench.store.of("collector")]
    assert noted == [clock.now - HOUR_NS, clock.now]


def test_a_note_is_followed_twice_even_where_its_clock_is_behind_or_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock(monkeypatch)
    with SqliteStore(tmp_path / "store.db") as store:
        pending_days = PendingDays(tmp_path / "keeper.db")
        keeper_thread = KeeperThread(_Deriver(), pending_days, 60, store)
        keeper_thread._once()
        for off_s, day in ((-50 * 60, BAD), (+50 * 60, GOOD)):
            pair = Pair(SCHOOL, day)
            store.write([note_of({pair: NOON}, clock.now + off_s * 10**9)])
            keeper_thread._mark_noted(store)
            marked = pending_days.take()
            assert {pair: one.since for pair, one in marked.items()} == {pair: NOON}
            pending_days.done(marked)
            found = []
            for _ in range(20):  # longer than such a note is read
                clock.now += 60 * 10**9
                keeper_thread._mark_noted(store)
                pending_days.done(marked := pending_days.take())
                found += marked
            assert found == [pair], "once more, for what came within its minute"
        pending_days.close()


def test_what_could_not_be_written_is_noted_again(
    bench: Any, message: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Writer.write
    monkeypatch.setattr(Writer, "write", lambda *_: None)  # stopping, with the store down
    bench.hand(message(2))
    monkeypatch.setattr(Writer, "write", real)
    bench.hand(message(2))
    (point,) = bench.store.of("collector")
    assert set(noted(str(point.fields["noted"]))) == {Pair(SCHOOL, dt.date(2026, 1, 5))}


@pytest.mark.parametrize("off_h", [-100_000, -5, 5, 100_000])
def test_notes_written_while_the_keepers_clock_was_wrong_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, off_h: int
) -> None:
    clock, pair = _Clock(monkeypatch), Pair(SCHOOL, GOOD)
    with SqliteStore(tmp_path / "store.db") as store:
        pending_days = PendingDays(tmp_path / "keeper.db")
        start = clock.now
        for began_wrong in (True, False):
            clock.now = start + (off_h * HOUR_NS if began_wrong else 0)
            keeper_thread = KeeperThread(_Deriver(), pending_days, 60, store)
            keeper_thread._mark_noted(store)
            clock.now = start + off_h * HOUR_NS
            store.write([note_of({pair: NOON}, start + began_wrong)])
            for _ in range(4):
                keeper_thread._mark_noted(store)
                clock.now += HOUR_NS
            for minute in range(2):
                clock.now = start + 4 * HOUR_NS + minute * 60 * 10**9
                keeper_thread._mark_noted(store)
            assert set(pending_days.take()) == {pair}
            pending_days.done(pending_days.take())
        pending_days.close()


def test_schools_that_go_on_are_derived_together_and_others_alone(pending: PendingDays) -> None:
    today = _today()
    going = [f"98{n:08}" for n in range(50)]
    pending.mark({Pair(school, today): NOON for school in [*going, SCHOOL]})
    pending.mark({Pair(going[7], today): 0, Pair(going[3], today - dt.timedelta(days=1)): NOON})
    calls: list[tuple[int, dt.date]] = []

    class Together(_Deriver):
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

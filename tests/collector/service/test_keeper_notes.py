"""What collectors on other machines note for a keeper alone, and what it notes itself."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.service.keeper_thread import KeeperThread
from collector.service.pipeline.day_notes import note_of, noted
from collector.service.pipeline.pending_days import Pair, PendingDays
from collector.service.pipeline.writer import Writer
from collector.store.base import Point, UnavailableError, Value
from collector.store.sqlite import SqliteStore
from recording_deriver import BAD, GOOD, HOUR_NS, NOON, OTHER, SCHOOL, Follows, RecordingDeriver


@pytest.fixture
def pending(tmp_path: Path) -> Iterator[PendingDays]:
    made = PendingDays(tmp_path / "days.db")
    yield made
    made.close()


def test_the_keeper_alone_notes_its_lag(
    tmp_path: Path, pending: PendingDays, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock(monkeypatch)
    with SqliteStore(tmp_path / "store.db") as store:
        pending.mark({Pair(SCHOOL, BAD): NOON})
        clock.now += 90 * 10**9
        keeper_thread = KeeperThread(RecordingDeriver(), pending, 60, store)
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
        deriver = RecordingDeriver()
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
        deriver = RecordingDeriver()
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

        class Counting(RecordingDeriver):
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
        keeper_thread = KeeperThread(RecordingDeriver(), pending_days, 60, store)
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
            keeper_thread = KeeperThread(RecordingDeriver(), pending_days, 60, store)
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


def test_a_keeper_that_starts_again_reads_what_it_may_not_have_marked_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the week's notes: each would have its school's day derived again, from its morning."""
    clock = _Clock(monkeypatch)
    hours = [100, 50, 3, 1, 0]  # ago; each note is of another day

    def day(ago: int) -> dt.date:
        return GOOD + dt.timedelta(days=ago)

    with SqliteStore(tmp_path / "store.db") as store:
        for ago in hours:
            note = note_of({Pair(SCHOOL, day(ago)): NOON}, clock.now - ago * HOUR_NS)
            store.write([note])

        def start() -> set[dt.date]:
            """A keeper that is killed after its first run."""
            pending_days, deriver = PendingDays(tmp_path / "keeper.db"), RecordingDeriver()
            KeeperThread(deriver, pending_days, 60, store)._once()
            pending_days.close()
            return set(deriver.derived)

        assert start() == set(map(day, hours))
        assert start() == {day(1), day(0)}
        clock.now += 90 * 60 * 10**9
        store.write([note_of({Pair(SCHOOL, day(7)): NOON}, clock.now)])
        assert start() == {day(1), day(0), day(7)}
        assert start() == {day(0), day(7)}
        clock.now -= 24 * HOUR_NS  # it had gone wrong
        assert start() == set(map(day, [*hours, 7]))


@pytest.mark.parametrize("restarts", [False, True])
def test_a_note_whose_clock_was_far_behind_is_found_within_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, restarts: bool
) -> None:
    """Two days behind the newest one; those that were marked before are not marked again."""
    clock, late = _Clock(monkeypatch), GOOD + dt.timedelta(days=9)
    with SqliteStore(tmp_path / "store.db") as store:
        pending_days, deriver = PendingDays(tmp_path / "keeper.db"), RecordingDeriver()
        keeper_thread = KeeperThread(deriver, pending_days, 60, store)
        for n in range(25):
            store.write([note_of({Pair(SCHOOL, GOOD): NOON}, clock.now)])
            if n == 3:
                store.write([note_of({Pair(SCHOOL, late): NOON}, clock.now - 48 * HOUR_NS)])
            if n == 10 and restarts:
                keeper_thread = KeeperThread(deriver, pending_days, 60, store)
            keeper_thread._once()
            clock.now += 240 * 10**9
            keeper_thread._once()
            assert (late in deriver.derived) == (n == 24)
            clock.now += HOUR_NS - 240 * 10**9
        assert deriver.derived.count(late) == 2  # at once, and when what it covers has ended
        if not restarts:
            assert deriver.derived.count(GOOD) == 50, "each note twice"
        pending_days.close()


def test_notes_are_marked_before_it_is_said_that_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SqliteStore(tmp_path / "store.db") as store:
        store.write([note_of({Pair(SCHOOL, GOOD): NOON}, time.time_ns() - 3 * HOUR_NS)])
        store.write([note_of({Pair(OTHER, GOOD): NOON}, time.time_ns())])
        pending_days = PendingDays(tmp_path / "keeper.db")
        with monkeypatch.context() as patch:
            patch.setattr(pending_days, "mark", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                KeeperThread(RecordingDeriver(), pending_days, 60, store)._once()
        deriver = RecordingDeriver()
        KeeperThread(deriver, pending_days, 60, store)._once()
        assert sorted(deriver.pairs) == [(Pair(SCHOOL, GOOD), NOON), (Pair(OTHER, GOOD), NOON)]
        pending_days.close()

"""The keeper's thread: a day that cannot be derived holds up neither the others nor the figure."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from collector.service.keeper_thread import KeeperThread
from collector.service.pipeline.pending_days import PendingDays
from collector.service.pipeline.writer import Writer
from collector.store.base import Point, UnavailableError
from collector.store.sqlite import SqliteStore

HOUR_NS = 3600 * 10**9
BAD, GOOD = dt.date(2026, 11, 23), dt.date(2026, 11, 24)


class _Deriver:
    """Fails on one day; tells when the clock's own work was done."""

    def __init__(self) -> None:
        self.derived: list[dt.date] = []
        self.judged = threading.Event()

    def derive(self, days: Collection[dt.date]) -> None:
        for day in days:
            if day == BAD:
                raise ValueError("a row that no rule expects")
            self.derived.append(day)

    def run_once(self, _now: dt.datetime) -> None:
        self.judged.set()


def test_one_bad_day_holds_up_nothing_and_stays_marked(tmp_path: Path) -> None:
    pending_days = PendingDays(tmp_path / "days.db")
    pending_days.mark({BAD, GOOD})
    deriver = _Deriver()
    keeper_thread = KeeperThread(deriver, pending_days, period_s=60)
    keeper_thread.start()
    assert deriver.judged.wait(120)
    keeper_thread.stop(120)
    assert deriver.derived == [GOOD]
    assert list(pending_days.take()) == [BAD]
    pending_days.close()


class _Clock:
    """The clocks of every machine: `now` of the wall, in ns; the monotonic one goes with it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time_ns()
        monkeypatch.setattr(time, "time_ns", lambda: self.now)
        monkeypatch.setattr(time, "monotonic", lambda: self.now / 1e9)


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
            def derive(self, days: Collection[dt.date]) -> None:
                seen.append(sum(1 for _ in store.read("agent", 0, 2**62)))

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
            told = {"days": day.isoformat()}
            store.write([Point("collector", {}, told, clock.now + off_s * 10**9)])
            keeper_thread._mark_noted(store)
            marked = pending_days.take()
            assert list(marked) == [day]
            pending_days.done(marked)
            found = []
            for _ in range(20):  # longer than such a note is read
                clock.now += 60 * 10**9
                keeper_thread._mark_noted(store)
                pending_days.done(marked := pending_days.take())
                found += marked
            assert found == [day], "once more, for what came within its minute"
        pending_days.close()


def test_what_could_not_be_written_is_noted_again(
    bench: Any, message: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Writer.write
    monkeypatch.setattr(Writer, "write", lambda *_: None)  # stopping, with the store down
    bench.hand(message(2))
    monkeypatch.setattr(Writer, "write", real)
    bench.hand(message(2))
    assert [point.fields for point in bench.store.of("collector")] == [{"days": "2026-01-05"}]

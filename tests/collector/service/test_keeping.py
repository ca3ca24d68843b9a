"""The keeper's thread: a day that cannot be derived holds up neither the others nor the figure."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from collector.service.dirty import DirtyDays
from collector.service.keeping import Keeping
from collector.service.writer import Writer
from collector.store.seam import Point, UnavailableError
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
    dirty = DirtyDays(tmp_path / "days.db")
    dirty.mark({BAD, GOOD})
    deriver = _Deriver()
    keeping = Keeping(deriver, dirty, period_s=60)
    keeping.start()
    assert deriver.judged.wait(10)
    keeping.stop(10)
    assert deriver.derived == [GOOD]
    assert list(dirty.take()) == [BAD]
    dirty.close()


class _Clock:
    """The wall clock of every machine, in ns."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time_ns()
        monkeypatch.setattr(time, "time_ns", lambda: self.now)


def test_a_note_that_a_store_took_after_an_hour_is_found(
    tmp_path: Path, bench: Any, message: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is down for an hour while a batch is in hand; the keeper has looked meanwhile."""
    clock = _Clock(monkeypatch)
    with SqliteStore(tmp_path / "store.db") as store:
        dirty = DirtyDays(tmp_path / "keeper.db")
        deriver = _Deriver()
        keeping = Keeping(deriver, dirty, 60, store)
        keeping._once()
        begun, tries = clock.now, 0

        def write(points: list[Point]) -> None:
            nonlocal tries
            tries += 1
            if clock.now < begun + 2 * HOUR_NS:
                clock.now += 10 * 60 * 10**9
                keeping._once()
                raise UnavailableError("down")
            SqliteStore.write(store, points)

        monkeypatch.setattr(bench.store, "write", write)
        monkeypatch.setattr(bench.stopping, "wait", lambda seconds: False)
        bench.hand(message(2))
        assert tries == 13
        assert bench.stored() == {2}
        assert deriver.derived == []
        keeping._once()
        assert deriver.derived == [dt.date(2026, 1, 5)]  # the report's own
        dirty.close()


def test_a_note_is_followed_once_even_where_its_clock_is_behind_or_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _Clock(monkeypatch)
    with SqliteStore(tmp_path / "store.db") as store:
        dirty = DirtyDays(tmp_path / "keeper.db")
        keeping = Keeping(_Deriver(), dirty, 60, store)
        keeping._once()
        for off_s, day in ((-50 * 60, BAD), (+50 * 60, GOOD)):
            told = {"days": day.isoformat()}
            store.write([Point("collector", {}, told, clock.now + off_s * 10**9)])
            keeping._mark_noted(store)
            marked = dirty.take()
            assert list(marked) == [day]
            dirty.done(marked)
            clock.now += 60 * 10**9
            keeping._mark_noted(store)
            assert dirty.take() == {}
        dirty.close()


def test_what_could_not_be_written_is_noted_again(
    bench: Any, message: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Writer.write
    monkeypatch.setattr(Writer, "write", lambda *_: None)  # stopping, with the store down
    bench.hand(message(2))
    monkeypatch.setattr(Writer, "write", real)
    bench.hand(message(2))
    assert [point.fields for point in bench.store.of("collector")] == [{"days": "2026-01-05"}]

"""A store whose reads lack for a while what was just stored: no day starts from the day before
without its rows."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.common.calendar import CITY_TIME
from collector.keeper.midnight import midnight
from collector.service.keeper_thread import KeeperThread
from collector.service.pipeline.pending_days import Pair, PendingDays
from collector.store.base import Limits, Point, Row
from collector.store.sqlite import SqliteStore

from .conftest import SCHOOL, MakePoints
from .passes import keeper, projector

DELAY_S = 0.3


class Late(SqliteStore):
    """A point of a new series is read a while after its write, as openGemini's index has it."""

    limits = Limits(readable_s=2 * DELAY_S)

    def __init__(self, path: Path, delay_s: float = DELAY_S) -> None:
        super().__init__(path, telemetry_days=36500)
        self._delay_s = delay_s
        self._series: set[Any] = set()
        self._waiting: list[tuple[float, Any, Point]] = []

    def write(self, points: Sequence[Point]) -> None:
        at, good = time.monotonic() + self._delay_s, []
        for point in points:
            series = point.measurement, frozenset(point.tags.items())
            if series in self._series and all(one != series for _, one, _ in self._waiting):
                good.append(point)
            else:
                self._series.add(series)
                self._waiting.append((at, series, point))
        super().write(good)

    def _arrive(self) -> None:
        now = time.monotonic()
        super().write([point for at, _, point in self._waiting if at <= now])
        self._waiting = [one for one in self._waiting if one[0] > now]

    def read(self, *args: Any, **named: Any) -> Iterator[Point]:
        self._arrive()
        return super().read(*args, **named)

    def rows(
        self, name: str, start: int, stop: int, tags: Mapping[str, Any] | None, fields: Any
    ) -> Iterator[Row]:
        self._arrive()
        return super().rows(name, start, stop, tags, fields)


def test_a_day_waits_for_the_rows_of_the_day_before(tmp_path: Path, make: MakePoints) -> None:
    """A projector on the first day, and none on the second: that it is gone needs both."""
    today = dt.datetime.now(CITY_TIME).date()
    first, second = today - dt.timedelta(days=3), today - dt.timedelta(days=2)
    late = Late(tmp_path / "store.db")
    raw = [p for at in range(0, 30, 5) for p in projector(make, f"10:{at:02}", first, present=True)]
    raw += [make.agent(1, f"10:{at:02}", second, probes="displays") for at in range(0, 30, 5)]
    late.write(raw)
    with late, closing(PendingDays(tmp_path / "days.db")) as pending:
        pending.mark({Pair(SCHOOL, first): 0, Pair(SCHOOL, second): 0})
        now = midnight(today) + 10 * 3600 * 10**9
        thread = KeeperThread(keeper(late, now=now), pending, 60, readable_s=late.limits.readable_s)
        while pending.take():
            thread._once()
        stored = [point.fields["event"] for point in late.read("event", midnight(second), 2**62)]
        assert "gone" in stored
        keeper(late, now=now).derive([first, second])
        again = [point.fields["event"] for point in late.read("event", midnight(second), 2**62)]
        assert again == stored


def test_rows_that_come_later_than_the_store_says_are_in_the_day(
    tmp_path: Path, make: MakePoints
) -> None:
    """A busy server: the first look misses them, the second one does not."""
    today = dt.datetime.now(CITY_TIME).date()
    late = Late(tmp_path / "store.db", delay_s=4 * DELAY_S)
    now = midnight(today) + 10 * 3600 * 10**9
    with late, closing(PendingDays(tmp_path / "days.db")) as pending:
        thread = KeeperThread(keeper(late, now=now), pending, 60, readable_s=late.limits.readable_s)
        late.write([make.agent(1, "08:00", today), make.host(1, "08:00", "pc-1", today)])
        pending.mark({Pair(SCHOOL, today): make.agent(1, "08:00", today).time})
        thread._once()
        assert list(late.read("machine_day", midnight(today), 2**62)) == []
        deadline = time.monotonic() + 60
        while not (rows := list(late.read("machine_day", midnight(today), 2**62))):
            assert time.monotonic() < deadline
            thread._once()
        assert rows[0].fields["hostname"] == "pc-1"


def test_where_reads_may_lack_rows_the_figure_is_made_again_though_no_day_changed(
    tmp_path: Path, make: MakePoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line test alone may have been readable since."""
    monkeypatch.setattr("collector.keeper.keeper._REST", 0)
    today = dt.datetime.now(CITY_TIME)
    report = make.agent(1, "08:00", today.date())
    judged = []
    for store in (Late(tmp_path / "late.db", delay_s=0.0), SqliteStore(tmp_path / "store.db")):
        with store:
            store.write([report])
            one = keeper(store)
            monkeypatch.setattr(one, "judge", lambda day: judged.append(store))  # noqa: B023
            for _ in range(3):
                one.begin()
                one.derive_schools({SCHOOL: report.time}, today.date(), lambda *_: None)
                one.run_once(today)
    assert [type(store) for store in judged] == [Late, Late, Late, SqliteStore]

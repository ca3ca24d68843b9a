"""When the keeper judges, and what it does where a write fails."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.common.calendar import CITY_TIME
from collector.config import City, Figure
from collector.keeper import Keeper, others, schooldays
from collector.keeper import keeper as keeping
from collector.keeper.part import Part
from collector.keeper.schoolday import SchoolDay
from collector.roster.register import Machine, Register, Room
from collector.store.base import Point, Store, UnavailableError
from collector.store.sqlite import SqliteStore

MakeKeeper = Callable[[Register], Keeper]


class _Ailing(SqliteStore):
    """Fails every other write, before or after it was done."""

    writes = 0

    def write(self, points: Any) -> None:
        self.writes += 1
        if self.writes % 4 == 1:
            raise UnavailableError("before")
        super().write(points)
        if self.writes % 4 == 3:
            raise UnavailableError("after")


@pytest.fixture
def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), CITY_TIME)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[dt.date]:
    """The days judged; the resting time is none."""
    days: list[dt.date] = []
    monkeypatch.setattr(keeping, "_REST", 0)
    monkeypatch.setattr(
        keeping.indicators, "of_day", lambda *given: (days.append(given[-1]), iter(()))[1]
    )
    return days


def test_judges_at_the_start_then_after_changes_and_each_day(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date,
    noon: dt.datetime, judged: list[dt.date],
) -> None:  # fmt: skip
    keeper = keeper_of(register)
    keeper.run_once(noon)
    keeper.run_once(noon)
    assert judged == [day]
    keeper.derive([day])
    keeper.run_once(noon)
    assert judged == [day]  # nothing had changed
    store.write([make.agent(1, "08:00")])
    keeper.derive([day])
    keeper.run_once(noon)
    assert judged == [day, day]
    tomorrow = noon + dt.timedelta(hours=12)
    keeper.run_once(tomorrow)
    assert judged[2:] == [day + dt.timedelta(days=1)]


def test_a_judging_that_failed_is_done_again(
    register: Register, keeper_of: MakeKeeper, noon: dt.datetime, judged: list[dt.date],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    keeper = keeper_of(register)
    with monkeypatch.context() as patched:
        patched.setattr(keeper, "judge", _unavailable)
        with pytest.raises(UnavailableError):
            keeper.run_once(noon)
    keeper.run_once(noon)
    assert len(judged) == 1


def _unavailable(_: dt.date) -> int:
    raise UnavailableError("no store")


def test_rests_between_judgings(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date,
    noon: dt.datetime, judged: list[dt.date], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(keeping, "_REST", 10**9)
    keeper = keeper_of(register)
    keeper.run_once(noon)
    store.write([make.agent(1, "08:00")])
    keeper.derive([day])
    keeper.run_once(noon)
    assert len(judged) == 1


def test_tried_until_it_works_gives_what_once_would_have(
    tmp_path: Path, store: Store, register: Register, keeper_of: MakeKeeper, make: Any,
    day: dt.date, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(schooldays, "_BATCH", 3)
    raw: list[Point] = []
    for n in range(6):
        raw += [make.agent(n, "08:00", room="lab"), make.device(n, "09:00", "monitor")]
    store.write(raw)
    keeper_of(register).derive([day])
    with SqliteStore(tmp_path / "other.db", 36500) as plain:
        plain.write(raw)
    with _Ailing(tmp_path / "other.db", 36500) as ailing:
        for _ in range(60):
            try:
                if not Keeper(ailing, lambda: register, Figure(), City()).derive([day]):
                    break
            except UnavailableError:
                continue
        else:
            pytest.fail("never done")
        for name in ("machine_day", "device_day", "room_day"):
            assert list(ailing.read(name, 0, 2**62)) == list(store.read(name, 0, 2**62))


def test_a_name_that_no_store_accepts_does_not_stop_others(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    rooms = [*register.rooms, Room(make.school, "主校区", "6\n3", "x", "教室")]
    bad = Register(
        register.schools, rooms=rooms, machines=[Machine(make.school, "6\n3", make.machine(1))]
    )
    store.write([make.agent(1, "08:00"), make.agent(2, "08:00", room="lab")])
    with caplog.at_level(logging.WARNING, "schoolpulse.keeper"):
        keeper_of(bad).derive([day])
    assert [point.tags["room"] for point in store.read("room_day", 0, 2**62)] == ["lab"]
    assert "derived_rejected" in caplog.text


def test_a_school_that_cannot_be_derived_holds_up_no_other(
    store: Store, register: Register, keeper_of: MakeKeeper, make: Any, day: dt.date,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Neither the hours of the others, nor what is judged of all."""
    bad, good = sorted(register.schools)[:2]
    derive = SchoolDay.derive

    def failing(self: SchoolDay) -> list[Point]:
        if self._school == bad:
            raise ValueError("a row that nobody expects")
        return derive(self)

    monkeypatch.setattr(SchoolDay, "derive", failing)
    one = keeper_of(register)
    one.begin()
    one.run_once(dt.datetime.combine(day, dt.time(12), CITY_TIME))
    hours = {point.tags["school"] for point in store.read("school_hour", 0, 2**62)}
    assert good in hours
    assert bad not in hours
    assert list(store.read("indicator", 0, 2**62))


def test_a_keeper_that_writes_for_long_says_so_again(
    store: Store, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = others.Others(store, Part()), others.Others(store, Part())
    two.wrote()
    one.wrote()
    one.about_to_write()
    one.about_to_write()
    assert two.wrote()
    assert not two.wrote(), "a run notes once, within half a minute"
    monkeypatch.setattr(others, "_AGAIN_S", 0.0)
    one.about_to_write()
    assert two.wrote()

"""A small school, its register, and the raw points of its PCs in a day."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.common.calendar import CITY_TIME
from collector.config import City, Figure
from collector.keeper import Keeper, saved
from collector.keeper.schoolday import SchoolDay
from collector.roster.register import (
    COMPUTER_ROOM,
    Campus,
    Equipment,
    Machine,
    Register,
    Room,
    School,
)
from collector.store.base import Point, Store, Value
from collector.store.sqlite import SqliteStore

SCHOOL, OTHER = "9963000001", "9963000002"
DAY = dt.date(2026, 3, 2)
_ROOMS = [("6-1", "教室", None), ("6-2", "教室", None), ("lab", COMPUTER_ROOM, 50)]


def _school(code: str) -> School:
    return School(code, f"示例{code[-1]}小学", "630102", "小学", "630102")


class MakePoints:
    """Makes raw points: `at` is local time of `day`."""

    school, day = SCHOOL, DAY

    def time(self, at: str, day: dt.date | None = None) -> int:
        clock = dt.time.fromisoformat(at)
        moment = dt.datetime.combine(day or self.day, clock, CITY_TIME)
        return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000

    def machine(self, n: int) -> str:
        return f"{n:032x}"

    def agent(self, n: int, at: str, day: dt.date | None = None, **fields: Value) -> Point:
        values: dict[str, Value] = {"boot": "00" * 8, "number": 2, "weak_id": False, **fields}
        return Point("agent", self._tags(n, fields), self._fields(values), self.time(at, day))

    def host(self, n: int, at: str, hostname: str, day: dt.date | None = None) -> Point:
        return Point("host", self._tags(n, {}), {"hostname": hostname}, self.time(at, day))

    def device(
        self, n: int, at: str, kind: str, connector: str = "HDMI-1", **fields: Value
    ) -> Point:
        day = fields.pop("day", None)
        device = f"{kind}-{connector}-{n}"
        tags = self._tags(n, fields) | {"kind": kind, "device": device}
        values: dict[str, Value] = {"present": True, "fault": "", "connector": connector, **fields}
        return Point("device", tags, self._fields(values), self.time(at, day))  # type: ignore[arg-type]

    def _tags(self, n: int, fields: dict[str, Value]) -> dict[str, str]:
        return {"school": str(fields.get("school", self.school)), "machine": self.machine(n)}

    @staticmethod
    def _fields(fields: dict[str, Value]) -> dict[str, Value]:
        return {name: value for name, value in fields.items() if name != "school"}


@pytest.fixture
def make() -> MakePoints:
    return MakePoints()


@pytest.fixture
def day() -> dt.date:
    return DAY


@pytest.fixture
def register() -> Register:
    """Two schools: rooms 6-1 (a projector), 6-2 and a computer room; PCs bound by hostname."""
    schools = {code: _school(code) for code in (SCHOOL, OTHER)}
    rooms = [
        Room(code, "主校区", room, room, kind, seats)
        for code in schools
        for room, kind, seats in _ROOMS
    ]
    machines = [
        Machine(code, room, pattern)
        for code in schools
        for room, pattern in (("6-1", "6-1-*"), ("6-2", "6-2-*"), ("lab", "lab-*"))
    ]
    return Register(
        schools,
        campuses=[Campus(code, "主校区") for code in schools],
        rooms=rooms,
        equipment=[Equipment(SCHOOL, "6-1", "projector", 1)],
        machines=machines,
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return SqliteStore(tmp_path / "store.db", telemetry_days=36500)


MakeKeeper = Callable[[Register], Keeper]


@pytest.fixture
def keeper_of(store: Store) -> MakeKeeper:
    return lambda register: Keeper(store, lambda: register, Figure(), City())


@pytest.fixture
def saved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each day is saved when it is first derived, and then only when a test says so."""
    monkeypatch.setattr(saved, "_EVERY_S", math.inf)


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> list[dt.date]:
    """The days that were derived whole."""
    found: list[dt.date] = []
    derive = SchoolDay.derive
    monkeypatch.setattr(
        SchoolDay, "derive", lambda self: (found.append(self._day), derive(self))[1]
    )
    return found

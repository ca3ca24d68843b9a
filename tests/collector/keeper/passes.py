"""A keeper that goes on beside one that derives whole: their stores, their passes, their rows."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from collector.config import City, Figure
from collector.keeper import Keeper
from collector.keeper.checkpoints import Checkpoints
from collector.keeper.midnight import midnight
from collector.roster.register import Decision, Equipment, Machine, Register, Room, School
from collector.store.base import Point, Store
from collector.store.sqlite import SqliteStore

from .conftest import DAY, OTHER, SCHOOL, MakePoints

S = 10**9
DERIVED = ("machine_day", "device_day", "room_day", "school_day", "school_hour", "event")


def register(*, bound_to: str = "6-1") -> Register:
    """Two schools; PC 2 of the first is merged into PC 1, PC 3 is bound to a room by its id."""
    rooms = [
        Room(code, "本部", room, room, "教室", None)
        for code in (SCHOOL, OTHER)
        for room in ("6-1", "6-2")
    ]
    return Register(
        {code: School(code, "示例小学", "630102", "小学", "630102") for code in (SCHOOL, OTHER)},
        rooms=rooms,
        equipment=[Equipment(SCHOOL, "6-1", "tv", 1), Equipment(SCHOOL, "6-2", "projector", 1)],
        machines=[
            Machine(SCHOOL, bound_to, f"{3:032x}"), *(
                Machine(code, room, f"{room}-*") for code in (SCHOOL, OTHER)
                for room in ("6-1", "6-2")
            ),
        ],
        decisions=[Decision(SCHOOL, f"{2:032x}", "merge", f"{1:032x}")],
    )  # fmt: skip


class KilledError(BaseException):
    """The process is gone."""


class Fragile(SqliteStore):
    """Kills its writer before or after a write."""

    left = -1
    after = False

    def write(self, points: Sequence[Point]) -> None:
        self.left -= 1
        if self.left == 0 and not self.after:
            raise KilledError
        super().write(points)
        if self.left == 0:
            raise KilledError


NOW = midnight(DAY) + 12 * 3600 * S


def keeper(
    store: Store,
    known: Register | None = None,
    now: int = NOW,
    checkpoints: Checkpoints | None = None,
) -> Keeper:
    found = known or register()
    return Keeper(
        store, lambda: found, Figure(), City(), now=lambda: now, version=lambda: 1,
        checkpoints=checkpoints,
    )  # fmt: skip


def news(batch: list[list[Point]]) -> dict[tuple[str, int], int]:
    """The first time of each school and day (as days from `DAY`) that is new."""
    found: dict[tuple[str, int], int] = {}
    for points in batch:
        key = points[0].tags["school"], -(points[0].time < midnight(DAY))
        found[key] = min(found.get(key, points[0].time), points[0].time)
    return found


def pass_over(one: Keeper, todo: dict[tuple[str, int], int]) -> None:
    """What the keeper's thread does, today first; what is done is taken out of `todo`."""
    while todo:
        days = max(days for _, days in todo)
        due = {school: since for (school, day), since in todo.items() if day == days}

        def follows(school: str, day: dt.date) -> None:
            if day <= DAY:
                todo[school, (day - DAY).days] = 0

        assert not one.derive_schools(due, DAY + dt.timedelta(days=days), follows)
        for school in due:
            del todo[school, days]


def rows(store: Store) -> list[Point]:
    return sorted(
        (point for name in DERIVED for point in store.read(name, 0, 2**62)),
        key=lambda point: (point.measurement, point.time, sorted(point.tags.items())),
    )


@contextmanager
def stores(count: int) -> Iterator[list[Fragile]]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as opened:
        yield [
            opened.enter_context(Fragile(Path(name) / f"{n}.db", telemetry_days=36500))
            for n in range(count)
        ]


def projector(make: MakePoints, at: str, day: dt.date, *, present: bool) -> list[Point]:
    agent = make.agent(1, at, day, probes="displays")
    points = [agent, make.device(1, at, "projector", present=present)]
    return [point._replace(time=agent.time) for point in points]

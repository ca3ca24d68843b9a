"""The steps of a removal, each by itself: count, copy, delete, take marks off, mark days."""

from __future__ import annotations

import datetime as dt
import gzip
import os
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from agent.common import ownership
from agent.common.calendar import CITY_TIME, midnight_ns
from collector.commands.evidence.removals import Left
from collector.commands.evidence.selection import MARKED, OF_ROOMS, Run, Where, runs
from collector.config import Config
from collector.schema import MEASUREMENTS
from collector.service.pipeline.day_notes import note_of
from collector.service.pipeline.pending_days import FILE as DAYS_FILE
from collector.service.pipeline.pending_days import Pair, PendingDays
from collector.store.base import Point, Store
from collector.store.line_protocol import line
from collector.store.tables import whose

#: How far after a day the next one with rows is looked for, as the keeper does.
_FOLLOWS = dt.timedelta(days=14)
_BATCH = 5000
_ROOM_DAY = "room_day"


@dataclass
class Found:
    """What a removal is about: rows by measurement, and their local days."""

    rows: dict[str, int] = field(default_factory=dict)
    days: set[dt.date] = field(default_factory=set)
    rooms: bool = False  # whether the rooms' days rest on them

    def add(self, point: Point) -> None:
        """Count one row."""
        self.rows[point.measurement] = self.rows.get(point.measurement, 0) + 1
        self.days.add(day_of(point))
        self.rooms |= point.measurement in OF_ROOMS


def day_of(point: Point) -> dt.date:
    """The city's day of a row."""
    since = dt.timedelta(seconds=point.time // 10**9)
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + since).astimezone(CITY_TIME).date()


def count(store: Store, where: Where, left: Sequence[Left] = ()) -> Found:
    """The rows that are meant, and the room days that rest on them. Raises as `Store.read`.

    `left`: the same removals that did not end; rows of their days may be gone.
    """
    found = Found()
    for one in left:
        found.days |= one.days
        found.rooms |= bool(OF_ROOMS & one.measurements)
    for point in _meant(store, where):
        found.add(point)
    for point in _rooms(store, where, found):
        found.rows[_ROOM_DAY] = found.rows.get(_ROOM_DAY, 0) + 1
        found.days.add(day_of(point))
    return found


def _meant(store: Store, where: Where) -> Iterator[Point]:
    for name in where.chosen():
        yield from filter(where.matches, where.read(store, name))


def _rooms(store: Store, where: Where, found: Found) -> Iterator[Point]:
    """The room days of these days, unless they are among the rows that are meant."""
    if found.rooms:
        chosen = _ROOM_DAY in where.chosen()
        for point, other in _room_days(store, where, found):
            if other and not (chosen and where.matches(point)):
                yield point


def _room_days(store: Store, where: Where, found: Found) -> Iterator[tuple[Point, bool]]:
    """The school's room days, each with whether its day is one of those found."""
    if not found.days:
        return
    start, stop = midnight_ns(min(found.days)), midnight_ns(max(found.days)) + 1
    for point in store.read(_ROOM_DAY, start, stop, {"school": where.school}):
        yield point, day_of(point) in found.days


def name_of(where: Where, now: dt.datetime) -> str:
    """The copy's file name."""
    return f"{now:%Y%m%dT%H%M%S.%f}-{where.school}.lp.gz"


def copy(store: Store, where: Where, found: Found, path: Path) -> None:
    """Write the rows as line protocol, on the disk on return. Raises OSError, StoreError."""
    ownership.make_folder(path.parent)
    with ownership.held(path.parent) as folder:
        opener = os.open(folder / path.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        ownership.hand_over(opener, folder)
    with os.fdopen(opener, "wb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", filename="") as packed:
            for points in (_meant(store, where), _rooms(store, where, found)):
                for point in points:
                    packed.write(line(point) + b"\n")
        raw.flush()
        os.fsync(raw.fileno())


def delete(store: Store, where: Where, found: Found) -> None:
    """Delete the rows. Raises as `Store.delete`."""
    for name in where.chosen():
        if not where.simulated:
            store.delete(name, *where.span, where.tags)
            continue
        rows = ((point, where.matches(point)) for point in where.read(store, name))
        _delete(store, name, list(runs(rows, MEASUREMENTS[name].tags)))
    if found.rooms:
        _delete(store, _ROOM_DAY, list(runs(_room_days(store, where, found), ("school",))))


def _delete(store: Store, name: str, found: Collection[Run]) -> None:
    for run in found:
        store.delete(name, run.first, run.last + 1, dict(run.tags))


def marks(store: Store, where: Where) -> int:
    """How many of the school's own counts and verdicts carry the mark of simulated rows."""
    if not where.simulated:
        return 0
    return sum(
        row.rows
        for row in store.simulated_rows()
        if row.measurement in MARKED and row.school == where.school
    )


def unmark(store: Store, where: Where) -> None:
    """Take the mark off the school's counts and verdicts; off all where nothing is simulated now.

    Raises as `Store.read` and `Store.write`.
    """
    if not where.simulated:
        return
    left = store.simulated_rows()
    last = all(row.measurement in MARKED for row in left)
    for row in left:
        if row.measurement in MARKED and (last or row.school == where.school):
            tags = {whose(row.measurement): row.school}
            points = store.read(row.measurement, row.first, row.last + 1, tags, ["simulated"])
            _write(store, [p._replace(fields={"simulated": False}) for p in points])


def _write(store: Store, points: list[Point]) -> None:
    for at in range(0, len(points), _BATCH):
        store.write(points[at : at + _BATCH])


def to_derive(store: Store, config: Config, where: Where, found: Found) -> set[dt.date]:
    """The days of which something is left to derive from, and those that start from them.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    today = dt.datetime.now(CITY_TIME).date()
    days = {day for day in found.days if day <= today}
    if not days:
        return days
    start, stop = midnight_ns(min(days)), midnight_ns(max(days) + _FOLLOWS) + 1
    rows = store.read("machine_day", start, stop, {"school": where.school}, ["seen"])
    left = {day_of(point) for point in rows}
    kept = today - dt.timedelta(days=config.store.telemetry_days)
    after = (
        min((one for one in left if day < one <= day + _FOLLOWS), default=None) for day in days
    )
    follow = {day for day in after if day is not None and day <= today}
    return follow | {day for day in days if day in left or day >= kept}


def mark(config: Config, store: Store, school: str, days: set[dt.date]) -> None:
    """Have the keeper derive the school's days again as a whole, also one on another machine."""
    if not days:
        return
    marks = {Pair(school, day): 0 for day in days}
    with closing(PendingDays(config.folder / DAYS_FILE)) as pending:
        pending.mark(marks)
    store.write([note_of(marks, time.time_ns())])


def said(days: Collection[dt.date]) -> str:
    """The days in short: how many, the first and the last."""
    if not days:
        return ""
    return f"{len(days)}: {min(days)} – {max(days)}"

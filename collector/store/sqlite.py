"""The embedded store: one SQLite file with a table for each measurement.

WAL lets other processes read while it is written; with `synchronous=FULL`, a write that has
returned survives a power cut.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from agent.common import log, ownership
from agent.common.language import say
from agent.common.sqlite import transaction
from collector.schema import MEASUREMENTS, Measurement
from collector.store import tables
from collector.store.base import (
    Limits,
    MisconfiguredError,
    Point,
    Row,
    SimulatedRows,
    Store,
    StoreError,
    UnavailableError,
)
from collector.store.check import refuse, sift

_BUSY_S = 5.0  # how long another process may hold the file before a write gives up
_PRUNE_EVERY_S, _PRUNE_AGAIN_S = 3600.0, 1.0
_SLICE = 5000  # rows deleted at a time, so that no write waits long
_DAY_NS = 86_400 * 10**9
_MISCONFIGURED = {
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}


_TELEMETRY = [name for name, known in MEASUREMENTS.items() if known.retention == "telemetry"]
_BOOLS = {
    name: frozenset(field.name for field in known.fields.values() if field.type == "bool")
    for name, known in MEASUREMENTS.items()
}


class SqliteStore(Store):
    """A `Store` in one file.

    Raises, when opened:
        MisconfiguredError: the file is not a database, or cannot be opened.
        UnavailableError: it is locked, or the disk is full.
    """

    limits = Limits()

    def __init__(
        self, path: Path, telemetry_days: int = 90, now: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._days = telemetry_days
        self._now = now
        self._next_prune = time.monotonic() + _PRUNE_EVERY_S
        self._prune_failing = False
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        with self._classed():
            ownership.make_folder(path.parent)
            ownership.new_file(path)
            self._writer = _connect(path)
            try:
                tables.prepare(self._writer)
            except BaseException:
                self._writer.close()
                raise

    def write(self, points: Sequence[Point]) -> None:
        """See `Store.write`."""
        good, bad = sift(points)
        with self._lock, self._classed():
            if good:
                with transaction(self._writer):
                    _insert(self._writer, good)
            self._prune_when_due()
        refuse(bad)

    def read(
        self,
        measurement: str,
        start: int,
        stop: int,
        tags: Mapping[str, str | Iterable[str]] | None = None,
        fields: Sequence[str] | None = None,
    ) -> Iterator[Point]:
        """See `Store.read`. Points of the same time are in the order of their tags."""
        known = MEASUREMENTS[measurement]
        names = list(known.fields) if fields is None else list(fields)
        sql, values = tables.select(known, names, start, stop, tags or {})
        return (_point(known, names, row) for row in self._rows(sql, values))

    def rows(
        self,
        measurement: str,
        start: int,
        stop: int,
        tags: Mapping[str, str | Iterable[str]] | None,
        fields: Sequence[str],
    ) -> Iterator[Row]:
        """See `Store.rows`."""
        return self._rows(
            *tables.select(MEASUREMENTS[measurement], fields, start, stop, tags or {})
        )

    def _rows(self, sql: str, values: list[object]) -> Iterator[Row]:
        with self._classed(), self._reader() as reader, closing(reader.cursor()) as cursor:
            yield from cursor.execute(sql, values)

    def simulated(self) -> bool:
        """See `Store.simulated`; each table has an index of its simulated rows alone."""
        with self._classed(), self._reader() as reader:
            return any(
                reader.execute(f'SELECT 1 FROM "{name}" WHERE simulated = 1 LIMIT 1').fetchone()  # noqa: S608
                for name in tables.CAN_BE_SIMULATED
            )

    def simulated_rows(self) -> list[SimulatedRows]:
        """See `Store.simulated_rows`."""
        found: list[SimulatedRows] = []
        with self._classed(), self._reader() as reader:
            for name in tables.CAN_BE_SIMULATED:
                rows = reader.execute(
                    f'SELECT "{tables.whose(name)}", count(*), min(time), max(time) FROM "{name}"'  # noqa: S608
                    " WHERE simulated = 1 GROUP BY 1 ORDER BY 1"
                )
                found += [SimulatedRows(name, *row) for row in rows]
        return found

    def delete(self, measurement: str, start: int, stop: int, tags: Mapping[str, str]) -> None:
        """See `Store.delete`: a slice at a time, so that no write waits long."""
        statement, values = tables.some_of(MEASUREMENTS[measurement], start, stop, tags, _SLICE)
        deleted = _SLICE
        while deleted:
            with self._lock, self._classed():
                deleted = self._writer.execute(statement, values).rowcount

    def _prune_when_due(self) -> None:
        """Prune one slice of each table when due: longer deletions would delay the reports."""
        if time.monotonic() < self._next_prune:
            return
        self._next_prune = time.monotonic() + _PRUNE_AGAIN_S
        try:
            if self._prune_slices() < _SLICE:
                self._next_prune = time.monotonic() + _PRUNE_EVERY_S
        except sqlite3.Error as error:  # the points are stored; a later write prunes
            if not self._prune_failing:
                log.warning("prune_failed", reason=error)
            self._prune_failing = True
        else:
            self._prune_failing = False

    def _prune_slices(self) -> int:
        oldest = int(self._now() * 10**9) - self._days * _DAY_NS
        return sum(_delete_slice(self._writer, name, oldest) for name in _TELEMETRY)

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """A connection for one read. Kept for later reads, as a new one must load the schema."""
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = _connect(self._path)
        try:
            yield reader
        finally:
            self._idle.append(reader)

    @property
    def clock_ahead(self) -> float | None:
        """See `Store.clock_ahead`: a file has no clock of its own."""
        return None

    def close(self) -> None:
        """See `Store.close`."""
        with self._lock:
            self._writer.close()
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _classed(self) -> Iterator[None]:
        """Turn SQLite's errors into those of `Store`."""
        try:
            yield
        except sqlite3.Error as error:
            raise _class(self._path, error) from error
        except OSError as error:
            raise MisconfiguredError(f"{self._path}: {error.strerror}") from error


def _connect(path: Path) -> sqlite3.Connection:
    made = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    made.execute("PRAGMA synchronous = FULL")
    return made


def _insert(db: sqlite3.Connection, points: Iterable[Point]) -> None:
    batches: dict[str, list[list[object]]] = {}
    for point in points:
        table = tables.TABLES[point.measurement]
        row: list[object] = [point.time]
        tags, fields = point.tags, point.fields
        row += [tags.get(name, "") for name in table.tags]
        row += map(fields.get, table.fields)
        batches.setdefault(point.measurement, []).append(row)
    for name, rows in batches.items():
        db.executemany(tables.TABLES[name].upsert, rows)


def _point(known: Measurement, names: Sequence[str], row: Sequence[Any]) -> Point:
    first = 1 + len(known.tags)
    tags = {name: value for name, value in zip(known.tags, row[1:first], strict=True) if value}
    bools = _BOOLS[known.name]
    fields = {
        name: bool(value) if name in bools else value
        for name, value in zip(names, row[first:], strict=True)
        if value is not None
    }
    return Point(known.name, tags, fields, row[0])


def _delete_slice(db: sqlite3.Connection, name: str, oldest: int) -> int:
    """Delete the oldest slice; rows of the same time go together, so it may be a little larger."""
    return db.execute(
        f'DELETE FROM "{name}" WHERE time <= (SELECT max(time) FROM '  # noqa: S608
        f'(SELECT time FROM "{name}" WHERE time < ? ORDER BY time LIMIT {_SLICE}))',
        (oldest,),
    ).rowcount


def _class(path: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code not in _MISCONFIGURED:
        return UnavailableError(f"{path}: {error}")
    fix = say(
        "不是可写的 SQLite 数据库；请检查路径和权限，或把该文件移走再从备份恢复",
        "not a writable SQLite database; check path and permissions, or restore a backup",
    )
    return MisconfiguredError(f"{path}: {fix} ({error})")

"""The register's book: all imports, of which the last one is in force, and on-site records.

An import replaces the whole register with the sheets of one folder. It is one row written in one
transaction, so a reader sees the register as it was before or after. The rows of each import are
kept as compressed JSON with their SHA-256, so that the register of an earlier day can be read.
Errors are those of `collector.roster.book.file`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path

import msgspec

from agent.common.calendar import Hours
from agent.common.language import say
from collector.roster.book.file import (
    BookError,
    DamagedBookError,
    NoRegisterError,
    connect,
    create,
    explained_errors,
    none_yet,
    unusable,
    verify,
)
from collector.roster.layers import Layer
from collector.roster.register import Decision, Inspection, Register
from collector.roster.rows import Rows


@dataclass(frozen=True, slots=True)
class Import:
    """One import: when (UTC), by whom, from where, and what it held."""

    number: int
    at: dt.datetime
    who: str
    source: str
    sheets: Mapping[str, str] = field(default_factory=dict)  # file name -> SHA-256
    counts: Mapping[str, int] = field(default_factory=dict)  # sheet -> rows
    sha256: str = ""  # of all rows, as stored


class RegisterBook:
    """The book at `path`. Each call opens the file anew: usable from any process and thread."""

    def __init__(self, path: Path, hours: Hours | None = None) -> None:
        self.path = Path(path)
        self._hours = hours

    def version(self) -> int:
        """A number that changes with every import and inspection; 0: no book yet.

        Raises:
            DamagedBookError: the file exists and cannot be read as a book.
        """
        try:
            with self._open() as base:
                return int(base.execute("SELECT version FROM state").fetchone()[0])
        except NoRegisterError:
            return 0

    def load(self, at: dt.datetime | None = None) -> Register:
        """The register in force, now or at the aware time `at`.

        For a time before the first import, the first one is taken.

        Raises:
            NoRegisterError: nothing has been imported.
            DamagedBookError: the file cannot be read as a book.
        """
        with self._open() as base:
            base.execute("BEGIN")  # rows, inspections and policies of one moment
            rows = _rows(self.path, base, at)
            register = rows.register(_inspections(base), self._hours, _decisions(base))
            return replace(register, policies=_policies(base))

    def load_or_empty(self) -> Register:
        """As `load`; an empty register before the first import, for services that start earlier."""
        try:
            return self.load()
        except NoRegisterError:
            return Rows().register()

    def rows(self) -> Rows:
        """The rows in force; raises as `load` does."""
        with self._open() as base:
            return _rows(self.path, base, None)

    def history(self) -> list[Import]:
        """Every import, the oldest first; empty if there is no book."""
        try:
            with self._open() as base:
                return [_import(*row) for row in base.execute(_HISTORY)]
        except NoRegisterError:
            return []

    def import_rows(
        self,
        rows: Rows,
        *,
        who: str = "",
        source: str = "",
        sheets: Mapping[str, str] | None = None,
        now: dt.datetime | None = None,
    ) -> Import:
        """Put `rows` in force in place of all earlier rows, which stay in the history.

        `sheets` are the files' SHA-256 by name. Atomic and durable: it is on disk when this
        returns; if the process is killed before, nothing has changed.
        """
        data = msgspec.json.encode(rows)
        digest = hashlib.sha256(data).hexdigest()
        at = _utc(now)
        values = (
            at.isoformat(),
            who,
            source,
            _json(sheets or {}),
            _json(rows.counts()),
            digest,
            zlib.compress(data),
        )
        with self._write() as base:
            number = base.execute(_INSERT_IMPORT, values).lastrowid
        return Import(number or 0, at, who, source, dict(sheets or {}), rows.counts(), digest)

    def add_inspections(
        self, rows: Sequence[Inspection], *, who: str = "", now: dt.datetime | None = None
    ) -> int:
        """Add on-site records, all or none; returns how many are new."""
        at = _utc(now).isoformat()
        with self._write() as base:
            before = base.total_changes
            base.executemany(_INSERT_INSPECTION, [(*_values(row), at, who) for row in rows])
            return base.total_changes - before

    def policies(self) -> dict[str, Layer]:
        """The policies that were set, by scope; empty if there is no book."""
        try:
            with self._open() as base:
                return _policies(base)
        except NoRegisterError:
            return {}

    def set_policy(
        self, scope: str, layer: Layer, *, who: str = "", now: dt.datetime | None = None
    ) -> None:
        """Replace a scope's policy; an empty layer removes it."""
        values = (scope, msgspec.json.encode(layer), who, _utc(now).isoformat())
        with self._write() as base:
            base.execute("DELETE FROM policy WHERE scope = ?", (scope,))
            if layer != Layer():
                base.execute("INSERT INTO policy VALUES (?, ?, ?, ?)", values)

    def inspections(self) -> list[Inspection]:
        """Every on-site record, by day; empty if there is no book."""
        try:
            with self._open() as base:
                return _inspections(base)
        except NoRegisterError:
            return []

    def decide(self, rows: Sequence[Decision], *, who: str = "") -> None:
        """Add decisions on PCs, all or none."""
        at = _utc(None).isoformat()
        with self._write() as base:
            base.executemany(_INSERT_DECISION, [(*astuple(row), at, who) for row in rows])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            raise NoRegisterError(none_yet(self.path))
        with explained_errors(self.path), closing(connect(self.path)) as base:
            verify(self.path, base)
            yield base

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BookError(unusable(self.path, error.strerror or str(error))) from error
        with explained_errors(self.path), closing(connect(self.path)) as base:
            create(self.path, base)
            verify(self.path, base)
            base.execute("BEGIN IMMEDIATE")
            yield base
            base.execute("UPDATE state SET version = version + 1")
            base.execute("COMMIT")


_HISTORY = "SELECT number, imported_at, who, source, sheets, counts, sha256 FROM import ORDER BY 1"
_INSERT_IMPORT = (
    "INSERT INTO import (imported_at, who, source, sheets, counts, sha256, rows) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_DECISION = (
    "INSERT INTO decision (school, machine, act, target, entered_at, entered_by) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)
_INSERT_INSPECTION = (
    "INSERT OR IGNORE INTO inspection "
    "(school, indicator, unit, day, inspector, found, note, entered_at, entered_by) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _rows(path: Path, base: sqlite3.Connection, at: dt.datetime | None) -> Rows:
    found = None
    if at:
        query = (
            "SELECT rows, sha256 FROM import WHERE imported_at <= ? ORDER BY number DESC LIMIT 1"
        )
        found = base.execute(query, (_utc(at).isoformat(),)).fetchone()
    if found is None:
        order = "ASC" if at else "DESC"
        query = f"SELECT rows, sha256 FROM import ORDER BY number {order} LIMIT 1"  # noqa: S608
        found = base.execute(query).fetchone()
    if found is None:
        raise NoRegisterError(none_yet(path))
    return _unpack(path, *found)


def _unpack(path: Path, packed: bytes, digest: str) -> Rows:
    try:
        data = zlib.decompress(packed)
        if hashlib.sha256(data).hexdigest() != digest:
            raise DamagedBookError(unusable(path, say("校验和不符", "wrong check sum")))
        return msgspec.json.decode(data, type=Rows)
    except (zlib.error, msgspec.DecodeError) as error:
        raise DamagedBookError(unusable(path, str(error))) from error


def _policies(base: sqlite3.Connection) -> dict[str, Layer]:
    """The policies by scope; an old book has no table for them yet."""
    table = "SELECT 1 FROM sqlite_master WHERE name = 'policy'"
    if base.execute(table).fetchone() is None:
        return {}
    rows = base.execute("SELECT scope, layer FROM policy ORDER BY scope")
    return {scope: msgspec.json.decode(layer, type=Layer) for scope, layer in rows}


def _import(
    number: int, at: str, who: str, source: str, sheets: str, counts: str, digest: str
) -> Import:
    when = dt.datetime.fromisoformat(at)
    read = msgspec.json.decode
    return Import(number, when, who, source, read(sheets), read(counts), digest)


def _inspections(base: sqlite3.Connection) -> list[Inspection]:
    query = (
        "SELECT school, indicator, unit, day, inspector, found, note FROM inspection "
        "ORDER BY day, number"
    )
    return [
        Inspection(school, indicator, unit, dt.date.fromisoformat(day), who, bool(found), note)
        for school, indicator, unit, day, who, found, note in base.execute(query)
    ]


def _decisions(base: sqlite3.Connection) -> list[Decision]:
    table = "SELECT count(*) FROM sqlite_master WHERE name = 'decision'"
    if not base.execute(table).fetchone()[0]:  # an old book has no such table yet
        return []
    query = "SELECT school, machine, act, target FROM decision ORDER BY number"
    return [Decision(*row) for row in base.execute(query)]


def _values(row: Inspection) -> tuple[str | int, ...]:
    day = row.day.isoformat()
    return row.school, row.indicator, row.unit, day, row.inspector, int(row.found), row.note


def _utc(now: dt.datetime | None) -> dt.datetime:
    return (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)


def _json(values: Mapping[str, object]) -> str:
    return msgspec.json.encode(values).decode()

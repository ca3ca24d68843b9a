"""The register's book: all imports, of which the last one is in force, and on-site records.

An import puts a whole register in force. It is one row written in one transaction, so a reader
sees the register as it was before or after. The rows of each import are kept as compressed JSON
with their SHA-256, so that the register of an earlier day can be read, and put in force again.
Errors are those of `collector.roster.book.file`.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, replace
from pathlib import Path

import msgspec

from agent.common import decoding, ownership
from agent.common.calendar import Hours
from agent.common.language import say
from collector.roster.book import imports, visits
from collector.roster.book.file import (
    BookError,
    NoRegisterError,
    connect,
    create,
    explained_errors,
    none_yet,
    reading,
    unusable,
    verify,
)
from collector.roster.book.imports import Import, Part
from collector.roster.layers import Layer
from collector.roster.register import Decision, Inspection, Register
from collector.roster.rows import Rows


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
            with self._connected() as base:  # asked every few seconds: not brought up to date
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
            rows = imports.rows_at(self.path, base, at)
            register = rows.register(visits.every(base), self._hours, _decisions(base))
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
            return imports.rows_at(self.path, base, None)

    def rows_of(self, number: int) -> Rows:
        """The rows that an import put in force.

        Raises:
            BookError: there is no import of that number.
        """
        with self._open() as base:
            return imports.rows_of(self.path, base, number)

    def history(self) -> list[Import]:
        """Every import, the oldest first; empty if there is no book."""
        try:
            with self._open() as base:
                return imports.history(base)
        except NoRegisterError:
            return []

    def import_rows(
        self,
        rows: Rows,
        *,
        who: str = "",
        source: str = "",
        sheets: Mapping[str, str] | None = None,
        part: Part | None = None,
        after: int | None = None,
        now: dt.datetime | None = None,
    ) -> Import:
        """Put `rows` in force in place of all earlier rows, which stay in the history.

        `sheets` are the files' SHA-256 by name; `part` says what of `rows` was read, where the
        rest is as before. `after` is the import (0: none) that the caller compared with. Atomic
        and durable: it is on disk when this returns; if the process is killed before, nothing has
        changed.

        Raises:
            BookError: another import than `after` is in force, or the book cannot be written.
        """
        made = Import(0, _utc(now), who, source, dict(sheets or {}), part=dict(part or {}))
        with self._write() as base:
            self._check(base, after)
            return imports.add(base, rows, made)

    def restore(
        self,
        number: int,
        *,
        who: str = "",
        after: int | None = None,
        now: dt.datetime | None = None,
    ) -> Import:
        """Put the rows of an earlier import in force again, as a new entry of the history.

        Raises:
            NoRegisterError: nothing has been imported.
            BookError: there is no such import, or as `import_rows`.
        """
        with self._write() as base:
            self._check(base, after)
            rows = imports.rows_of(self.path, base, number)
            source = next(row.source for row in imports.history(base) if row.number == number)
            return imports.add(base, rows, Import(0, _utc(now), who, source, restores=number))

    def inspections(self) -> list[Inspection]:
        """Every on-site record, by day, void ones too; empty if there is no book."""
        try:
            with self._open() as base:
                return visits.every(base)
        except NoRegisterError:
            return []

    def inspection(self, given: str) -> Inspection:
        """The record with an id, as somebody typed it.

        Raises:
            BookError: no record has it.
        """
        with self._open() as base:
            return visits.one(base, given)

    def add_inspections(
        self, rows: Sequence[Inspection], *, who: str = "", now: dt.datetime | None = None
    ) -> int:
        """Add on-site records, all or none; returns how many are new. As `record`."""
        return len(self.record(rows, who=who, now=now))

    def record(
        self, rows: Sequence[Inspection], *, who: str = "", now: dt.datetime | None = None
    ) -> list[Inspection]:
        """Add on-site records, all or none; returns the new ones with their ids.

        One that counts already is not added again. One with `replaces` makes that record void.

        Raises:
            BookError: `replaces` names no record that counts, or the book cannot be written.
        """
        with self._write() as base:
            return visits.add(base, rows, who, _utc(now))

    def void(
        self, given: str, why: str, *, who: str = "", now: dt.datetime | None = None
    ) -> Inspection:
        """Make an on-site record void; it stays, and no longer counts.

        Raises:
            BookError: no record has the id, or it is void already.
        """
        with self._write() as base:
            return visits.void(base, given, why, who, _utc(now))

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

    def decide(self, rows: Sequence[Decision], *, who: str = "") -> None:
        """Add decisions on PCs, all or none."""
        at = _utc(None).isoformat()
        with self._write() as base:
            base.executemany(_INSERT_DECISION, [(*astuple(row), at, who) for row in rows])

    def _check(self, base: sqlite3.Connection, after: int | None) -> None:
        """Refuse a change that was compared with another import than that in force."""
        if after is None or imports.newest(base) == after:
            return
        text = say(
            "这期间另有一次导入，比较作废；什么也没有改。请再运行一次",
            "another import was made meanwhile; nothing was changed. Run it again",
        )
        raise BookError(text)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as base, reading(self.path, base) as current:
            yield current

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        if not self.path.exists():
            raise NoRegisterError(none_yet(self.path))
        with explained_errors(self.path), closing(connect(self.path)) as base:
            verify(self.path, base)
            yield base

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        try:
            ownership.make_folder(self.path.parent)
            ownership.new_file(self.path)
        except OSError as error:
            raise BookError(unusable(self.path, error.strerror or str(error))) from error
        with explained_errors(self.path), closing(connect(self.path)) as base:
            create(self.path, base)
            verify(self.path, base)
            base.execute("BEGIN IMMEDIATE")
            yield base
            base.execute("UPDATE state SET version = version + 1")
            base.execute("COMMIT")


_INSERT_DECISION = (
    "INSERT INTO decision (school, machine, act, target, entered_at, entered_by) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)


def _policies(base: sqlite3.Connection) -> dict[str, Layer]:
    rows = base.execute("SELECT scope, layer FROM policy ORDER BY scope")
    return {scope: decoding.decode(layer, Layer) for scope, layer in rows}


def _decisions(base: sqlite3.Connection) -> list[Decision]:
    query = "SELECT school, machine, act, target FROM decision ORDER BY number"
    return [Decision(*row) for row in base.execute(query)]


def _utc(now: dt.datetime | None) -> dt.datetime:
    return (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)

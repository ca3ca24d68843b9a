"""The book's table of imports: each with the rows that it put in force, compressed."""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from agent.common import decoding
from agent.common.language import say
from collector.roster.book.file import (
    BookError,
    DamagedBookError,
    NoRegisterError,
    none_yet,
    unusable,
)
from collector.roster.rows import Rows

#: What an import was limited to: `schools` and `sheets`, each a list; empty: the whole register.
Part = Mapping[str, Sequence[str]]

_COLUMNS = "number, imported_at, who, source, sheets, counts, sha256, part, restores"
_INSERT = (
    "INSERT INTO import (imported_at, who, source, sheets, counts, sha256, part, restores, rows) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


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
    part: Part = field(default_factory=dict)
    restores: int | None = None  # an undo: the import whose rows it put in force again


def history(base: sqlite3.Connection) -> list[Import]:
    """Every import, the oldest first."""
    query = f"SELECT {_COLUMNS} FROM import ORDER BY number"  # noqa: S608 - names of ours
    return [_import(*row) for row in base.execute(query)]


def add(base: sqlite3.Connection, rows: Rows, made: Import) -> Import:
    """Put `rows` in force; `made` without number, counts and check sum, which come back set."""
    data = msgspec.json.encode(rows)
    digest = hashlib.sha256(data).hexdigest()
    counts = rows.counts()
    told = (_json(made.sheets), _json(counts), digest, _json(made.part), made.restores)
    values = (made.at.isoformat(), made.who, made.source, *told, zlib.compress(data))
    number = base.execute(_INSERT, values).lastrowid or 0
    return replace(made, number=number, counts=counts, sha256=digest)


def newest(base: sqlite3.Connection) -> int:
    """The number of the import in force; 0: none."""
    (number,) = base.execute("SELECT coalesce(max(number), 0) FROM import").fetchone()
    return int(number)


def rows_at(path: Path, base: sqlite3.Connection, at: dt.datetime | None) -> Rows:
    """The rows in force now or at the aware time `at`; before the first import, its rows.

    Raises:
        NoRegisterError: nothing has been imported.
        DamagedBookError: they were changed or cannot be read.
    """
    number = _number_at(base, at) if at else newest(base)
    if not number:
        raise NoRegisterError(none_yet(path))
    return rows_of(path, base, number)


def _number_at(base: sqlite3.Connection, at: dt.datetime) -> int:
    query = (
        "SELECT coalesce((SELECT max(number) FROM import WHERE imported_at <= ?), "
        "(SELECT min(number) FROM import), 0)"
    )
    (number,) = base.execute(query, (at.astimezone(dt.UTC).isoformat(),)).fetchone()
    return int(number)


def rows_of(path: Path, base: sqlite3.Connection, number: int) -> Rows:
    """The rows that an import put in force.

    Raises:
        BookError: there is no such import.
        DamagedBookError: they were changed or cannot be read.
    """
    query = "SELECT rows, sha256 FROM import WHERE number = ?"
    found = base.execute(query, (number,)).fetchone()
    if found is None:
        raise BookError(no_import(number))
    return _unpack(path, *found)


def no_import(number: int) -> str:
    """The message about a number that is not in the history."""
    return say(
        f"没有第 {number} 次导入。schoolpulse roster history 列出各次",
        f"there is no import {number}. schoolpulse roster history lists them",
    )


def _unpack(path: Path, packed: bytes, digest: str) -> Rows:
    try:
        data = zlib.decompress(packed)
        if hashlib.sha256(data).hexdigest() != digest:
            raise DamagedBookError(unusable(path, say("校验和不符", "wrong check sum")))
        return decoding.decode(data, Rows)
    except (zlib.error, msgspec.DecodeError) as error:
        raise DamagedBookError(unusable(path, str(error))) from error


def _import(
    number: int, at: str, who: str, source: str, sheets: str, counts: str, digest: str, part: str,
    restores: int | None,
) -> Import:  # fmt: skip
    when, read = dt.datetime.fromisoformat(at), msgspec.json.decode
    told = read(sheets), read(counts), digest, read(part)
    return Import(number, when, who, source, *told, restores)


def _json(values: Mapping[str, object]) -> str:
    return msgspec.json.encode(values).decode()

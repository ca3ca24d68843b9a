"""The outbox's file: opened whole or mended, its changes and sums, and whose it is.

School PCs are cut at the wall, so every commit is flushed to the disk (synchronous = FULL).
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import NamedTuple

from agent.common.sqlite import change
from agent.outbox import salvage, schema

#: States of a row. Receipted rows are evidence, kept for a while as a backup.
WAITING, HELD, RECEIPTED = 0, 1, 2

COUNTERS = ("dropped_telemetry", "dropped_evidence", "set_aside", "lost")


class Total(NamedTuple):
    """What all rows amount to: those without a receipt, and all, others' included."""

    waiting: int
    waiting_bytes: int
    bytes: int


class Counts(NamedTuple):
    """What an outbox holds, and what was lost on the way."""

    rows: int  # reports without a receipt
    bytes: int  # their size
    under_way: int
    dropped_telemetry: int
    dropped_evidence: int
    set_aside: int
    lost: int


class Opened(NamedTuple):
    """An open file, and what opening it cost."""

    db: sqlite3.Connection
    damaged: Path | None  # where the damaged file was moved
    lost: int  # reports known to be lost in it


def open_file(path: Path) -> Opened:
    """Open or make the outbox at `path`; a damaged one is moved aside, and read as far as it goes.

    Raises:
        OSError, sqlite3.OperationalError: no folder can be made or written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    damaged, lost = salvage.finish(path), 0
    try:
        db = _checked(path)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        damaged, lost = _salvaged(path)
        db = _checked(path)
    if senseless := salvage.senseless(db):
        with change(db):
            add(db, "lost", senseless)
    return Opened(db, damaged, lost + senseless)


def _salvaged(path: Path) -> tuple[Path | None, int]:
    """Put what can be read of a damaged file in its place; where it is now, and how many lost."""
    new = salvage.begin(path)
    with contextlib.closing(_checked(new)) as db:
        with change(db):
            lost = salvage.salvage(db, path)
            add(db, "lost", lost)
        db.execute("PRAGMA journal_mode = DELETE").fetchone()  # all in one file, to be renamed
    return salvage.finish(path, new), lost


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is bad, rather than the disk full or the folder closed."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    )


def open_readonly(path: Path) -> sqlite3.Connection:
    """The file as another process may look at it.

    Raises:
        sqlite3.Error: there is none, or it cannot be read.
    """
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)


def total(db: sqlite3.Connection) -> Total:
    """The sums over all rows."""
    return Total(*db.execute("SELECT waiting, waiting_bytes, bytes FROM total").fetchone())


def counts(db: sqlite3.Connection) -> Counts:
    """What the file holds; what is under way only its process knows."""
    sums = total(db)
    counters = (counter(db, name) for name in COUNTERS)
    return Counts(sums.waiting, sums.waiting_bytes, 0, *counters)


def fact(db: sqlite3.Connection, name: str) -> str | None:
    """What the file remembers under `name`; what a disk has garbled is no error, and nobody's."""
    row = db.execute("SELECT CAST(value AS BLOB) FROM fact WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0]).decode(errors="replace")


def counter(db: sqlite3.Connection, name: str) -> int:
    """One of `COUNTERS`; 0 where a disk has changed it into no number."""
    found = fact(db, name) or ""
    return int(found) if found.isdecimal() else 0


def set_fact(db: sqlite3.Connection, name: str, value: object) -> None:
    """Remember `value` under `name`; inside a `change`."""
    db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, str(value)))


def add(db: sqlite3.Connection, name: str, count: int) -> None:
    """Count `count` more of the counter `name`; inside a `change`."""
    if count:
        set_fact(db, name, counter(db, name) + count)


def claim(db: sqlite3.Connection, machine: str) -> int:
    """Make the file this machine's own; returns how many waiting reports were set aside.

    The rows of another machine come with a cloned image: the other PC sends them itself.
    """
    owner = fact(db, "machine")
    if owner == machine:
        return 0
    with change(db):
        waiting = 0
        if owner is not None and not _nearly(owner, machine):
            waiting = _set_aside(db, owner)
            for name in COUNTERS:  # what the other PC lost is the other's to report
                set_fact(db, name, 0)
        add(db, "set_aside", waiting)
        set_fact(db, "machine", machine)
    return waiting


def _nearly(owner: str, machine: str) -> bool:
    """Whether a flipped byte is all that differs: no two PCs' ids are so near to each other."""
    differ = sum(one != other for one, other in zip(owner, machine, strict=False))
    return len(owner) == len(machine) and differ <= 1


def _set_aside(db: sqlite3.Connection, owner: str) -> int:
    waiting = total(db).waiting
    db.execute(
        f"INSERT INTO aside ({schema.FIRST}, machine) "  # noqa: S608 - a constant of ours
        f"SELECT {schema.FIRST}, ? FROM report ORDER BY id",
        (owner,),
    )
    db.execute("DELETE FROM report")
    return waiting


def _checked(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        db.executescript(schema.PRAGMAS)
        found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise _damage(found)
        schema.prepare(db, path)
        if not schema.is_ours(db):
            raise _damage("the tables are not as we made them")
        _add_up(db)
    except UnicodeDecodeError as error:
        db.close()
        raise _damage(f"garbled: {error.reason}") from error
    except sqlite3.OperationalError as error:
        db.close()
        # What a flipped byte made of our own SQL is no SQL any more.
        damaged = _is_bad_sql(error) or _is_of_no_version(path)
        raise _damage(str(error)) if damaged else error from error
    except BaseException:
        db.close()
        raise
    return db


def _is_bad_sql(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)  # Python's own have none
    return bool(code == sqlite3.SQLITE_ERROR)


def _is_of_no_version(path: Path) -> bool:
    """Whether SQLite takes the file for one of a version to come, and thus for read-only."""
    try:
        with path.open("rb") as file:
            return file.read(19)[18:] > b"\2"
    except OSError:
        return False


def _add_up(db: sqlite3.Connection) -> None:
    """The sums as the rows have them: the check has just read every page, so this costs little."""
    rows = db.execute(
        "SELECT coalesce(sum(state != 2), 0), coalesce(sum((state != 2) * size), 0),"
        " coalesce(sum(size), 0) + (SELECT coalesce(sum(size), 0) FROM aside) FROM report"
    ).fetchone()
    kept = db.execute("SELECT waiting, waiting_bytes, bytes FROM total WHERE one = 1").fetchone()
    if kept != rows:
        db.execute("UPDATE total SET waiting = ?, waiting_bytes = ?, bytes = ?", rows)


def _damage(text: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(text)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error

"""The outbox's file: opening and repairing it, transactions, totals, and which machine owns it.

School PCs lose power without a shutdown, so every commit is flushed to the disk
(synchronous = FULL).
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import NamedTuple

from agent.common import log
from agent.common.sqlite import transaction
from agent.outbox import salvage, schema

#: States of a row. Receipted rows are evidence that is kept for a while as a backup.
WAITING, HELD, RECEIPTED = 0, 1, 2

COUNTERS = ("dropped_telemetry", "dropped_evidence", "set_aside", "lost")


class Total(NamedTuple):
    """Sums over the rows without a receipt, and over all rows, those in `aside` included."""

    waiting: int
    waiting_bytes: int
    bytes: int


class Counts(NamedTuple):
    """What an outbox holds, and how many reports were dropped or lost."""

    rows: int  # reports without a receipt
    bytes: int  # their size
    under_way: int
    dropped_telemetry: int
    dropped_evidence: int
    set_aside: int
    lost: int


class Opened(NamedTuple):
    """An open file, and what was lost when it had to be repaired."""

    db: sqlite3.Connection
    damaged: Path | None  # where the damaged file was moved
    lost: int  # reports known to be lost in it


def open_file(path: Path) -> Opened:
    """Open or create the outbox at `path`; a damaged file is moved aside and salvaged.

    Raises:
        OSError, sqlite3.OperationalError: the folder cannot be created or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    damaged, lost = salvage.replace_damaged(path), 0
    try:
        db = _open_checked(path)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        damaged, lost = _salvage(path)
        log.error("outbox_damaged", moved_to=damaged, lost=lost, reason=error)
        db = _open_checked(path)
    if invalid := salvage.delete_invalid(db):
        with transaction(db):
            increment(db, "lost", invalid)
    return Opened(db, damaged, lost + invalid)


def _salvage(path: Path) -> tuple[Path | None, int]:
    """Replace a damaged file by one with its readable rows.

    Returns where the damaged file is now, and how many reports are known to be lost.
    """
    new = salvage.path_for_new(path)
    with contextlib.closing(_open_checked(new)) as db:
        with transaction(db):
            lost = salvage.salvage(db, path)
            increment(db, "lost", lost)
        db.execute("PRAGMA journal_mode = DELETE").fetchone()  # one file, so it can be renamed
    return salvage.replace_damaged(path, new), lost


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is damaged; not a full disk, nor a folder that is read-only."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    )


def open_readonly(path: Path) -> sqlite3.Connection:
    """Open the file for inspection by another process.

    Raises:
        sqlite3.Error: there is no such file, or it cannot be read.
    """
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)


def total(db: sqlite3.Connection) -> Total:
    """The totals, which triggers keep up to date."""
    return Total(*db.execute("SELECT waiting, waiting_bytes, bytes FROM total").fetchone())


def counts(db: sqlite3.Connection) -> Counts:
    """What the file holds; `under_way` is 0, as only the sending process knows it."""
    sums = total(db)
    counters = (counter(db, name) for name in COUNTERS)
    return Counts(sums.waiting, sums.waiting_bytes, 0, *counters)


def fact(db: sqlite3.Connection, name: str) -> str | None:
    """The value stored under `name`, None where there is none.

    Bytes that are not UTF-8 are replaced: a damaged value is no error, it just matches nothing.
    """
    row = db.execute("SELECT CAST(value AS BLOB) FROM fact WHERE name = ?", (name,)).fetchone()
    return None if row is None else bytes(row[0]).decode(errors="replace")


def counter(db: sqlite3.Connection, name: str) -> int:
    """One of `COUNTERS`; 0 where it was never set, or the disk damaged it."""
    found = fact(db, name) or ""
    return int(found) if found.isdecimal() else 0


def set_fact(db: sqlite3.Connection, name: str, value: object) -> None:
    """Store `value` under `name`; inside a transaction."""
    db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, str(value)))


def increment(db: sqlite3.Connection, name: str, count: int) -> None:
    """Add `count` to the counter `name`; inside a transaction."""
    if count:
        set_fact(db, name, counter(db, name) + count)


def claim(db: sqlite3.Connection, machine: str) -> int:
    """Make `machine` the owner; returns how many waiting reports were set aside.

    Rows of another machine come with a cloned disk image; the other PC sends them itself.
    """
    owner = fact(db, "machine")
    if owner == machine:
        return 0
    with transaction(db):
        waiting = 0
        if owner is not None and not _differs_by_one_byte(owner, machine):
            waiting = _set_aside(db, owner)
            for name in COUNTERS:  # the other PC reports its own losses
                set_fact(db, name, 0)
        increment(db, "set_aside", waiting)
        set_fact(db, "machine", machine)
    return waiting


def _differs_by_one_byte(owner: str, machine: str) -> bool:
    """Whether the stored owner is this machine with a byte flipped by the disk.

    Ids are hashes: those of two PCs differ in far more than one character.
    """
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


def _open_checked(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        db.executescript(schema.PRAGMAS)
        found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise _damage(found)
        schema.prepare(db, path)
        if not schema.is_ours(db):
            raise _damage("the tables are not as we made them")
        _correct_totals(db)
    except UnicodeDecodeError as error:
        db.close()
        raise _damage(f"garbled: {error.reason}") from error
    except sqlite3.OperationalError as error:
        db.close()
        # Our own SQL is stored in the schema: a syntax error means that the disk changed it.
        damaged = _is_bad_sql(error) or _has_newer_format(path)
        raise _damage(str(error)) if damaged else error from error
    except BaseException:
        db.close()
        raise
    return db


def _is_bad_sql(error: sqlite3.Error) -> bool:
    # Errors that Python's own module raises have no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return bool(code == sqlite3.SQLITE_ERROR)


def _has_newer_format(path: Path) -> bool:
    """Whether the header's write version (byte 18) is above 2, which SQLite opens read-only."""
    try:
        with path.open("rb") as file:
            return file.read(19)[18:] > b"\2"
    except OSError:
        return False


def _correct_totals(db: sqlite3.Connection) -> None:
    """Recompute the totals; cheap here, as the integrity check has just read every page."""
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

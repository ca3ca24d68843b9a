"""The outbox's file: its tables, whose it is, and what is left of a damaged one.

School PCs are cut at the wall, so every commit is flushed to the disk (synchronous = FULL).
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agent import outbox_salvage

#: States of a row. Receipted rows are evidence, kept for a while as a backup.
WAITING, HELD, RECEIPTED = 0, 1, 2

COUNTERS = ("dropped_telemetry", "dropped_evidence", "set_aside", "lost")

_COLUMNS = (
    "boot, number, evidence, elapsed, wall, guess, readings, sealed, time, sent, "
    "state, reason, retry, receipted, size"
)
_ROW = """
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order of putting
    boot TEXT NOT NULL,
    number INTEGER NOT NULL,
    evidence INTEGER NOT NULL,
    elapsed INTEGER NOT NULL,  -- ms on the monotonic clock when put
    wall INTEGER NOT NULL,     -- ms on the PC's own clock when put
    guess INTEGER,             -- corrected ms when put, where it was known
    readings BLOB,             -- JSON, until sealed
    sealed BLOB,               -- the bytes of every sending, from the first on
    time INTEGER,              -- sealed corrected ms
    sent INTEGER,              -- as sealed
    state INTEGER NOT NULL DEFAULT 0,
    reason TEXT,               -- why it is held
    retry INTEGER,             -- when it is tried again, ms on the monotonic clock
    receipted INTEGER,         -- the collector's ms at its receipt
    size INTEGER NOT NULL
"""


def _trigger(table: str, event: str, row: str, sign: str) -> str:
    """Sums kept by the file itself: adding up a full outbox would read all of it."""
    waits = f"({row}.state != 2)" if table == "report" else "0"
    return f"""
CREATE TRIGGER IF NOT EXISTS {table}_{event.split()[0]}_{row} AFTER {event} ON {table} BEGIN
    UPDATE total SET
        waiting = waiting {sign} {waits},
        waiting_bytes = waiting_bytes {sign} {waits} * {row}.size,
        bytes = bytes {sign} {row}.size;
END;
"""  # noqa: S608 - made of constants


_TABLES = f"""
CREATE TABLE IF NOT EXISTS report ({_ROW}, UNIQUE (boot, number));
CREATE INDEX IF NOT EXISTS report_state ON report (state, id);
CREATE INDEX IF NOT EXISTS report_evidence ON report (evidence, id);
CREATE INDEX IF NOT EXISTS report_retry ON report (state, retry);
CREATE TABLE IF NOT EXISTS aside ({_ROW}, machine TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS total (
    one INTEGER PRIMARY KEY CHECK (one = 1), waiting INTEGER, waiting_bytes INTEGER, bytes INTEGER
);
INSERT OR IGNORE INTO total VALUES (1, 0, 0, 0);
{_trigger("report", "INSERT", "new", "+")}
{_trigger("report", "DELETE", "old", "-")}
{_trigger("report", "UPDATE OF state, size", "old", "-")}
{_trigger("report", "UPDATE OF state, size", "new", "+")}
{_trigger("aside", "INSERT", "new", "+")}
{_trigger("aside", "DELETE", "old", "-")}
"""  # noqa: S608 - made of constants
# The PC's memory matters more than speed: pages of 4 KiB, a cache of 256 KiB.
_PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -256;
PRAGMA wal_autocheckpoint = 64;
PRAGMA journal_size_limit = 1048576;
"""


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
    damaged, lost = outbox_salvage.finish(path), 0
    try:
        db = _checked(path)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        damaged, lost = _salvaged(path)
        db = _checked(path)
    if senseless := outbox_salvage.senseless(db):
        with change(db):
            add(db, "lost", senseless)
    return Opened(db, damaged, lost + senseless)


def _salvaged(path: Path) -> tuple[Path | None, int]:
    """Put what can be read of a damaged file in its place; where it is now, and how many lost."""
    new = outbox_salvage.begin(path)
    with contextlib.closing(_checked(new)) as db:
        with change(db):
            lost = outbox_salvage.salvage(db, path, _COLUMNS)
            add(db, "lost", lost)
        db.execute("PRAGMA journal_mode = DELETE").fetchone()  # all in one file, to be renamed
    return outbox_salvage.finish(path, new), lost


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


@contextlib.contextmanager
def change(db: sqlite3.Connection) -> Iterator[None]:
    """One durable change: all of it is on the disk on return, or none of it."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        # A full disk ends the transaction by itself.
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    try:
        db.execute("COMMIT")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def total(db: sqlite3.Connection) -> Total:
    """The sums over all rows."""
    return Total(*db.execute("SELECT waiting, waiting_bytes, bytes FROM total").fetchone())


def counts(db: sqlite3.Connection) -> Counts:
    """What the file holds; what is under way only its process knows."""
    sums = total(db)
    counters = (int(fact(db, name) or 0) for name in COUNTERS)
    return Counts(sums.waiting, sums.waiting_bytes, 0, *counters)


def fact(db: sqlite3.Connection, name: str) -> str | None:
    """What the file remembers under `name`."""
    row = db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def set_fact(db: sqlite3.Connection, name: str, value: object) -> None:
    """Remember `value` under `name`; inside a `change`."""
    db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, str(value)))


def add(db: sqlite3.Connection, counter: str, count: int) -> None:
    """Count `count` more of `counter`; inside a `change`."""
    if count:
        set_fact(db, counter, int(fact(db, counter) or 0) + count)


def claim(db: sqlite3.Connection, machine: str) -> int:
    """Make the file this machine's own; returns how many waiting reports were set aside.

    The rows of another machine come with a cloned image: the other PC sends them itself.
    """
    owner = fact(db, "machine")
    if owner == machine:
        return 0
    with change(db):
        waiting = 0
        if owner is not None:
            waiting = _set_aside(db, owner)
            for counter in COUNTERS:  # what the other PC lost is the other's to report
                set_fact(db, counter, 0)
        add(db, "set_aside", waiting)
        set_fact(db, "machine", machine)
    return waiting


def _set_aside(db: sqlite3.Connection, owner: str) -> int:
    waiting = total(db).waiting
    db.execute(
        f"INSERT INTO aside ({_COLUMNS}, machine) "  # noqa: S608 - a constant of ours
        f"SELECT {_COLUMNS}, ? FROM report ORDER BY id",
        (owner,),
    )
    db.execute("DELETE FROM report")
    return waiting


def _checked(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        db.executescript(_PRAGMAS)
        found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise _damage(found)
        db.executescript(_TABLES)
        if _schema(db) != _expected():
            raise _damage("the tables are not as we made them")
        _add_up(db)
    except UnicodeDecodeError as error:
        db.close()
        raise _damage(f"garbled: {error.reason}") from error
    except sqlite3.OperationalError as error:
        db.close()
        # What a flipped byte made of our own SQL is no SQL any more.
        raise _damage(str(error)) if _is_bad_sql(error) else error from error
    except BaseException:
        db.close()
        raise
    return db


def _schema(db: sqlite3.Connection) -> frozenset[tuple[str, ...]]:
    return frozenset(
        db.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master")
    )


@functools.cache
def _expected() -> frozenset[tuple[str, ...]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(_TABLES)
        return _schema(db)


def _is_bad_sql(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)  # Python's own have none
    return bool(code == sqlite3.SQLITE_ERROR)


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

"""The outbox's tables: created in the first layout, then upgraded as a file of an older agent is.

A new file and an upgraded one therefore have the same SQL in their schema, to the letter, and a
file that differs is damaged. So the SQL below never changes, comments included: a changed word
would make every outbox in the field look damaged. A new layout is one more entry in `_UPGRADES`.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from pathlib import Path

from agent.common.sqlite import layout, migrate

_IN_MEMORY = Path(":memory:")
#: The columns of the first layout, which `aside` still has.
FIRST = (
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
    """A trigger that keeps the totals: computing them from the rows would read the whole file."""
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
#: From layout 1 on `receipted` is the outbox's age, like `lived`, not the collector's time.
OWN_TIME = "UPDATE report SET receipted = 0 WHERE receipted IS NOT NULL"
_UPGRADES = (
    # `crc`: see `agent.outbox.checksum`; null in rows that an older agent put.
    # `lived`: the outbox's age when the row was put, ms; see `agent.outbox.age`.
    f"""
    ALTER TABLE report ADD COLUMN crc INTEGER;
    ALTER TABLE report ADD COLUMN lived INTEGER NOT NULL DEFAULT 0;
    {OWN_TIME};
    """,
)
COLUMNS = f"{FIRST}, crc, lived"
# Little memory matters more than speed on a school PC: a cache of 256 KiB.
PRAGMAS = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -256;
PRAGMA wal_autocheckpoint = 64;
PRAGMA journal_size_limit = 1048576;
"""


def prepare(db: sqlite3.Connection, path: Path = _IN_MEMORY) -> None:
    """Create missing tables, and upgrade an older layout in one transaction.

    A layout number that we do not know comes from a flipped byte: `is_ours` detects that.
    """
    db.executescript(_TABLES)
    if 0 <= layout(db) < len(_UPGRADES):
        migrate(db, _UPGRADES, path)


def is_ours(db: sqlite3.Connection) -> bool:
    """Whether tables, indexes and triggers are exactly those that `prepare` creates."""
    return _schema(db) == _expected()


def _schema(db: sqlite3.Connection) -> frozenset[tuple[str, ...]]:
    return frozenset(
        db.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master")
    )


@functools.cache
def _expected() -> frozenset[tuple[str, ...]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        prepare(db)
        return _schema(db)

"""SQLite's write-ahead log, turned on beside other processes that open the same file."""

from __future__ import annotations

import sqlite3
import time

_WAIT_S, _LOOK_S = 5.0, 0.01


def use_wal(db: sqlite3.Connection) -> None:
    """Keep a write-ahead log from now on.

    SQLite waits for its `timeout` at every statement but this one, so we do: nothing tells when
    the other's change is through.

    Raises:
        sqlite3.Error: the file is no database, cannot be written, or is locked for 5 s.
    """
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            if db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_S)
        else:
            return

"""What each SQLite file of the city side needs: a write-ahead log, and changes that are whole."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def change(db: sqlite3.Connection) -> Iterator[None]:
    """All of it is in the file on return, or none of it. Raises sqlite3.Error."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk ends it by itself
            db.execute("ROLLBACK")
        raise

"""A reserve file, deleted when the disk is full so that the outbox can go on.

SQLite needs free space even to delete rows: without a reserve, a full disk would not let the
outbox apply a receipt. Once the reserve is freed, rows are dropped to a lower limit, and the
pages they leave inside the file are reused until there is free space again.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

#: More than the write-ahead log grows between two checkpoints, bytes.
SIZE = 327_680


def is_full(error: sqlite3.Error) -> bool:
    """Whether the disk is full, or failed to write."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def create(path: Path) -> None:
    """Create the reserve of the outbox at `path`, if the disk has space for it."""
    file = _file(path)
    with contextlib.suppress(OSError):
        if file.exists() and file.stat().st_size == SIZE:
            return
        try:
            file.write_bytes(os.urandom(SIZE))  # some file systems store zeros in no space
        except OSError:
            file.unlink(missing_ok=True)


def disk_has_room(path: Path) -> bool:
    """Whether the disk has space again, for three times the reserve."""
    probe = path.with_name(f"{path.name}.probe")
    try:
        probe.write_bytes(os.urandom(3 * SIZE))
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return True


def free(path: Path) -> None:
    """Delete the reserve of the outbox at `path`."""
    with contextlib.suppress(OSError):
        _file(path).unlink(missing_ok=True)


def checkpoint(db: sqlite3.Connection) -> None:
    """Move the write-ahead log into the file, so that the log starts anew; errors are ignored."""
    with contextlib.suppress(sqlite3.Error):
        db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()


def _file(path: Path) -> Path:
    return path.with_name(f"{path.name}.reserve")

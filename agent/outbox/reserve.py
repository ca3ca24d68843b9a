"""Room kept back for the day the disk is full: without any, not even a receipt can be taken in.

SQLite needs room to delete. The reserve is given up first, rows are dropped to the limits, and
what they leave inside the file serves the outbox until others free the disk.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

#: More than the write-ahead log takes between two checkpoints, bytes.
SIZE = 327_680


def is_full(error: sqlite3.Error) -> bool:
    """Whether there was no room, or the disk failed to write."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def keep(path: Path) -> None:
    """Set room aside beside the outbox at `path`, where there is any."""
    file = _file(path)
    with contextlib.suppress(OSError):
        if file.exists() and file.stat().st_size == SIZE:
            return
        try:
            file.write_bytes(os.urandom(SIZE))  # zeros would take no room on some disks
        except OSError:
            file.unlink(missing_ok=True)


def room(path: Path) -> bool:
    """Whether the disk has room again: thrice what is kept back."""
    probe = path.with_name(f"{path.name}.probe")
    try:
        probe.write_bytes(os.urandom(3 * SIZE))
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return True


def give_up(path: Path, db: sqlite3.Connection) -> None:
    """Let the outbox have the room, and move its log into the file."""
    drop(path)
    checkpoint(db)


def drop(path: Path) -> None:
    """Let the outbox at `path` have the room."""
    with contextlib.suppress(OSError):
        _file(path).unlink(missing_ok=True)


def checkpoint(db: sqlite3.Connection) -> None:
    """Move the log into the file; its room is used again. As far as the disk lets it."""
    with contextlib.suppress(sqlite3.Error):
        db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()


def _file(path: Path) -> Path:
    return path.with_name(f"{path.name}.reserve")

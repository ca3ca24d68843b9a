"""Days whose rows must be derived again: on disk before their reports are receipted.

After the receipt nobody sends the report again, so a crash must not lose the day either.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Collection
from pathlib import Path

from agent.common.sqlite import open_file, transaction

FILE = "days.db"
_LAYOUT = ("CREATE TABLE IF NOT EXISTS dirty (day TEXT PRIMARY KEY, mark INTEGER NOT NULL);",)


class PendingDays:
    """`days.db`. A day marked while it is being derived stays marked. For several threads."""

    def __init__(self, path: Path, *, exclusive: bool = True) -> None:
        """Open or make the file. `exclusive`: only this object takes the days.

        Raises sqlite3.Error, OSError, NewerFileError.
        """
        self._exclusive = exclusive
        self._lock = threading.Lock()
        self._db = open_file(path, _LAYOUT)
        self._marked: set[dt.date] = set()  # since the last take: need not be written again

    def mark(self, days: Collection[dt.date]) -> None:
        """Mark the days, durably. Raises sqlite3.Error."""
        with self._lock:
            new = set(days) - self._marked
            if not new:
                return
            with transaction(self._db):
                self._db.executemany(
                    "INSERT INTO dirty VALUES (?, 1)"
                    " ON CONFLICT (day) DO UPDATE SET mark = mark + 1",
                    [(day.isoformat(),) for day in new],
                )
            if self._exclusive:  # else another process may take them unseen
                self._marked |= new

    def take(self) -> dict[dt.date, int]:
        """The marked days, each with its mark for `done`."""
        with self._lock:
            self._marked.clear()
            rows = self._db.execute("SELECT day, mark FROM dirty ORDER BY day").fetchall()
            return {dt.date.fromisoformat(day): mark for day, mark in rows}

    def done(self, taken: dict[dt.date, int]) -> None:
        """Unmark the days taken, but not those marked again since. Raises sqlite3.Error."""
        with self._lock:
            self._db.executemany(
                "DELETE FROM dirty WHERE day = ? AND mark = ?",
                [(day.isoformat(), mark) for day, mark in taken.items()],
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

"""The age of an outbox: the time it has been open, measured by the monotonic clock.

Rows that are too old are deleted for good, so a wall clock must not decide it: the PC's may be
years off, and a collector's that is eight days ahead for an hour would make a whole city drop
its backups. The outbox therefore adds up the time it was open and stores the sum in its file.
Time during which the PC is off does not count: rows are kept longer, never shorter.
"""

from __future__ import annotations

import sqlite3
import zlib

from agent.clock import Clock
from agent.outbox import file

_FACT = "lived"
#: The age is saved this often; a crash loses at most this much of it, ms.
_SAVE_MS = 60_000


class Age:
    """The total time that one outbox has been open, in ms."""

    def __init__(self, db: sqlite3.Connection, clock: Clock) -> None:
        self._clock = clock
        self._at_open = self._saved = _read(db)
        self._opened = clock.elapsed()

    def now(self) -> int:
        """The age now."""
        return self._at_open + max(0, self._clock.elapsed() - self._opened)

    def save(self, db: sqlite3.Connection) -> None:
        """Store the age, at most every `_SAVE_MS`; inside a transaction."""
        now = self.now()
        if now - self._saved >= _SAVE_MS:
            self._saved = now
            file.set_fact(db, _FACT, f"{now} {_sum(now)}")


def _read(db: sqlite3.Connection) -> int:
    """The stored age; on a checksum mismatch the age at which the newest row was put."""
    lived, _, check = (file.fact(db, _FACT) or "").partition(" ")
    if lived.isdecimal() and check == str(_sum(int(lived))):
        return int(lived)
    found = db.execute("SELECT lived FROM report ORDER BY id DESC LIMIT 1").fetchone()
    return found[0] if found and isinstance(found[0], int) else 0


def _sum(lived: int) -> int:
    return zlib.crc32(str(lived).encode())

"""How old things in an outbox are, by a clock that nobody can set.

What is deleted for its age is gone for good, so no calendar decides it: the PC's own may be
years off, and a collector's that is eight days ahead for an hour would have a whole city drop
its backups. An outbox counts the time that it was open, on the monotonic clock, and carries
the sum in its file. A PC that is off for a night grows no older: it keeps longer, never shorter.
"""

from __future__ import annotations

import sqlite3
import zlib

from agent.clock import Clock
from agent.outbox import file

_FACT = "lived"
#: What a crash may cost of the count, ms.
_SAVE_MS = 60_000


class Age:
    """The time that one outbox has been open in all, in ms."""

    def __init__(self, db: sqlite3.Connection, clock: Clock) -> None:
        self._clock = clock
        self._before = self._saved = _read(db)
        self._opened = clock.elapsed()

    def now(self) -> int:
        """How long it has lived."""
        return self._before + max(0, self._clock.elapsed() - self._opened)

    def save(self, db: sqlite3.Connection) -> None:
        """Write the sum down now and then; inside a change."""
        now = self.now()
        if now - self._saved >= _SAVE_MS:
            self._saved = now
            file.set_fact(db, _FACT, f"{now} {_sum(now)}")


def _read(db: sqlite3.Connection) -> int:
    """As written; where a disk has changed that, what the youngest row tells."""
    lived, _, check = (file.fact(db, _FACT) or "").partition(" ")
    if lived.isdecimal() and check == str(_sum(int(lived))):
        return int(lived)
    found = db.execute("SELECT lived FROM report ORDER BY id DESC LIMIT 1").fetchone()
    return found[0] if found and isinstance(found[0], int) else 0


def _sum(lived: int) -> int:
    return zlib.crc32(str(lived).encode())

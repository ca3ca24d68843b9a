"""Days noted in the store, for a keeper on another machine to derive again."""

from __future__ import annotations

import datetime as dt
import math
import threading
import time

from collector.store.base import Point

_NOTE_S = 60.0


class Notes:
    """Which days have a note of the last minute; none is noted more often. For several threads.

    A note is part of the write that has the reports, so what is receipted is noted. It has the
    time of the attempt that wrote it: a keeper reads the notes since it last read, and the store
    may have been down for hours since the reports were received.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[dt.date, float] = {}  # by a write that succeeded, on `monotonic`

    def due(self, days: set[dt.date], now: float) -> set[dt.date]:
        """Those of `days` that the store has no note of from the last minute."""
        with self._lock:
            return {day for day in days if now - self._noted.get(day, -math.inf) >= _NOTE_S}

    def stored(self, days: set[dt.date], at: float) -> None:
        """An attempt that began `at` has noted the days."""
        with self._lock:
            self._noted |= dict.fromkeys(days, at)
            for day in [day for day, noted in self._noted.items() if at - noted >= _NOTE_S]:
                del self._noted[day]


class Note:
    """What one batch noted at its last attempt."""

    def __init__(self, notes: Notes, days: set[dt.date]) -> None:
        self._notes, self._days = notes, days
        self._last: set[dt.date] = set()
        self._at = 0.0

    def points(self) -> list[Point]:
        """The note of an attempt that begins now, if any is due."""
        self._at = time.monotonic()
        self._last = self._notes.due(self._days, self._at)
        days = ",".join(day.isoformat() for day in sorted(self._last))
        return [Point("collector", {}, {"days": days}, time.time_ns())] if days else []

    def stored(self) -> None:
        """The last attempt succeeded."""
        self._notes.stored(self._last, self._at)

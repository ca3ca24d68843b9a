"""Days noted in the store, for a keeper on another machine to derive anew."""

from __future__ import annotations

import datetime as dt
import math
import threading
import time

from collector.store.base import Point

_NOTE_S = 60.0


class Notes:
    """Which days have a fresh note: each is noted once a minute. For several threads.

    In the write that has the reports, asked at each of its tries: what is receipted is noted. A
    note is of the time of its try: a keeper looks for what came since it last looked, and a
    store may have been down for hours since the reports came.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[dt.date, float] = {}  # by a write that ended well, on `monotonic`

    def due(self, days: set[dt.date], now: float) -> set[dt.date]:
        """Those of `days` that the store has no fresh note of."""
        with self._lock:
            return {day for day in days if now - self._noted.get(day, -math.inf) >= _NOTE_S}

    def stored(self, days: set[dt.date], at: float) -> None:
        """A try that began `at` has noted the days."""
        with self._lock:
            self._noted |= dict.fromkeys(days, at)
            for day in [day for day, noted in self._noted.items() if at - noted >= _NOTE_S]:
                del self._noted[day]


class Note:
    """What one batch notes at its last try."""

    def __init__(self, notes: Notes, days: set[dt.date]) -> None:
        self._notes, self._days = notes, days
        self._last: set[dt.date] = set()
        self._at = 0.0

    def points(self) -> list[Point]:
        """The note of a try that begins now, if any is due."""
        self._at = time.monotonic()
        self._last = self._notes.due(self._days, self._at)
        said = ",".join(day.isoformat() for day in sorted(self._last))
        return [Point("collector", {}, {"days": said}, time.time_ns())] if said else []

    def stored(self) -> None:
        """The last try ended well."""
        self._notes.stored(self._last, self._at)

"""What the collector counts since its start: the `collector` measurement's fields."""

from __future__ import annotations

import threading
from collections import Counter

NAMES = (
    "received",
    "stored",
    "duplicates",
    "held",
    "quarantined",
    "hellos",
    "store_errors",
    "turned_away",
    "ignored",
    "receipts_unsent",
)


class Counts:
    """Counters that several threads add to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter(dict.fromkeys(NAMES, 0))

    def add(self, name: str, number: int = 1) -> None:
        """Count `number` more of `name`."""
        with self._lock:
            self._counts[name] += number

    def __getitem__(self, name: str) -> int:
        return self._counts[name]

    def snapshot(self) -> dict[str, int]:
        """All counts at one moment."""
        with self._lock:
            return dict(self._counts)

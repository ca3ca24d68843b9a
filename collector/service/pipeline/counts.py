"""What the collector counts since its start: the `collector` measurement's fields."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

from agent.common.vocabulary.held import REASONS

NAMES = (
    "received",
    "stored",
    "receipted",
    "duplicates",
    "held",
    *(f"held_{reason}" for reason in REASONS),
    "quarantined",
    "hellos",
    "store_errors",
    "turned_away",
    "ignored",
    "receipts_unsent",
    "too_large",
    "unretained",
)


class Counts:
    """Counters that several threads add to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reasons: Counter[str] = Counter()  # of the quarantined
        self._counts: Counter[str] = Counter(dict.fromkeys(NAMES, 0))

    def add(self, name: str, number: int = 1) -> None:
        """Count `number` more of `name`."""
        with self._lock:
            self._counts[name] += number

    def __getitem__(self, name: str) -> int:
        return self._counts[name]

    def hold(self, reasons: Sequence[str]) -> None:
        """Count reports that are held, in all and by reason."""
        with self._lock:
            self._counts["held"] += len(reasons)
            self._counts.update(f"held_{reason}" for reason in reasons)

    def quarantine(self, reason: str) -> None:
        """Count one message set aside, in all and by the first word of its reason."""
        word = reason.split(":")[0].split()[0] if reason.strip(": ") else "unknown"
        with self._lock:
            self._counts["quarantined"] += 1
            self.reasons[word[:20]] += 1

    def snapshot(self) -> dict[str, int]:
        """All counts at one moment."""
        with self._lock:
            return dict(self._counts)

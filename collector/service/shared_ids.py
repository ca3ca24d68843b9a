"""Hardware values that PCs of a school share, as the keeper found them: excluded by policy."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import defaultdict
from collections.abc import Mapping

from agent.common.calendar import CITY_TIME, midnight_ns
from collector.store.base import Store

_END = 2**62


class SharedSources:
    """Read from the store: first all days, then the last two, at most every `every_s` seconds."""

    def __init__(self, store: Store, every_s: float) -> None:
        self._store, self._every_s = store, every_s
        self._lock = threading.Lock()
        self._found: dict[str, set[str]] = defaultdict(set)
        self._since = 0
        self._due = 0.0

    def now(self) -> Mapping[str, tuple[str, ...]]:
        """By school: the sources that its PCs must not use, as name=digest.

        Raises:
            UnavailableError, MisconfiguredError: the next call gives what was found before.
        """
        with self._lock:
            if time.monotonic() >= self._due:
                self._due = time.monotonic() + self._every_s
                self._read()
            return {school: tuple(sorted(shared)) for school, shared in self._found.items()}

    def _read(self) -> None:
        yesterday = dt.datetime.now(CITY_TIME).date() - dt.timedelta(days=1)
        for point in self._store.read("machine_day", self._since, _END, fields=["shared_sources"]):
            shared = str(point.fields["shared_sources"]).split(",")
            self._found[point.tags["school"]] |= set(filter(None, shared))
        self._since = midnight_ns(yesterday)

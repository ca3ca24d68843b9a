"""Hardware values that PCs of a school share, as the keeper found them: told by policy."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import defaultdict
from collections.abc import Mapping

from agent.common.calendar import CITY_TIME
from collector.keeper.midnight import midnight
from collector.store.base import Store

_END = 2**62


class SharedSources:
    """Read from the store: once whole, then the last days, at most every `every_s` seconds."""

    def __init__(self, store: Store, every_s: float) -> None:
        self._store, self._every_s = store, every_s
        self._lock = threading.Lock()
        self._found: dict[str, set[str]] = defaultdict(set)
        self._since = 0
        self._due = 0.0

    def now(self) -> Mapping[str, tuple[str, ...]]:
        """By school: what its PCs must leave out, as name=digest.

        Raises:
            UnavailableError, MisconfiguredError: what was found before still stands.
        """
        with self._lock:
            if time.monotonic() >= self._due:
                self._due = time.monotonic() + self._every_s
                self._read()
            return {school: tuple(sorted(told)) for school, told in self._found.items()}

    def _read(self) -> None:
        yesterday = dt.datetime.now(CITY_TIME).date() - dt.timedelta(days=1)
        for point in self._store.read("machine_day", self._since, _END, fields=["shared_sources"]):
            told = str(point.fields["shared_sources"]).split(",")
            self._found[point.tags["school"]] |= set(filter(None, told))
        self._since = midnight(yesterday)

"""Writes to the store until it has the points, whatever fails meanwhile."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Sequence

from agent.common import log
from agent.common.backoff import backoff
from collector.service.pipeline.counts import Counts
from collector.store.base import (
    MisconfiguredError,
    Point,
    RejectedError,
    Store,
    StoreError,
    UnavailableError,
)

Group = Sequence[Point]


class Writer:
    """Writes groups of points, a group being those of one message. For several threads.

    `on_outage` must not call back.
    """

    def __init__(
        self,
        store: Store,
        counts: Counts,
        stopping: threading.Event,
        on_outage: Callable[[bool], None] = lambda down: None,
    ) -> None:
        self._store, self._counts, self._stopping = store, counts, stopping
        self._on_outage = on_outage
        self._lock = threading.Lock()
        self._down = False
        self.write_ms = 0.0

    def write(
        self, groups: Sequence[Group], last: Callable[[], Group] = tuple
    ) -> dict[int, str] | None:
        """Store the groups, however long it takes, and one more that `last` makes at each attempt.

        Returns the groups that can never be stored, by index, with the reason; None where the
        collector stops before the store has answered.
        """
        for attempt in itertools.count():
            refused = self._try([*groups, last()])
            if refused is not None:
                return refused
            # While stopping, there is time for one attempt.
            wait = backoff(attempt, base=0.5, cap=30.0)
            if self._stopping.is_set() or self._stopping.wait(wait):
                break
        return None

    def _try(self, groups: Sequence[Group]) -> dict[int, str] | None:
        """None where the store is down: no points are kept in memory while it is waited for."""
        points = [point for group in groups for point in group]
        try:
            return self._once(groups, points) if points else {}
        except (UnavailableError, MisconfiguredError) as error:
            self._outage(error)
            return None

    def _once(self, groups: Sequence[Group], points: Sequence[Point]) -> dict[int, str]:
        started = time.monotonic()
        try:
            self._store.write(points)
        except RejectedError as error:
            self._counts.add("store_errors")
            self._back()
            return _groups_of(groups, error)
        except StoreError:
            raise
        except Exception as error:  # a bug in the store: find the group that it fails on
            self._counts.add("store_errors")
            return self._bisect(groups, error)
        self.write_ms = (time.monotonic() - started) * 1000
        self._back()
        return {}

    def _bisect(self, groups: Sequence[Group], error: Exception) -> dict[int, str]:
        if len(groups) == 1:
            log.warning("store_failed", reason=error, at=log.where(error))
            return {0: f"store: {error!r}"[:300]}
        half = len(groups) // 2
        refused: dict[int, str] = {}
        for start, part in ((0, groups[:half]), (half, groups[half:])):
            points = [point for group in part for point in group]
            found = self._once(part, points) if points else {}
            refused |= {start + at: reason for at, reason in found.items()}
        return refused

    def _outage(self, error: StoreError) -> None:
        self._counts.add("store_errors")
        if self._changed(down=True):
            log.warning("store_down", reason=error)

    def _back(self) -> None:
        if self._changed(down=False):
            log.info("store_back")

    def _changed(self, *, down: bool) -> bool:
        """Whether that is a change. Reported under the lock: two threads may disagree."""
        with self._lock:
            if self._down == down:
                return False
            self._down = down
            self._on_outage(down)
            return True


def _groups_of(groups: Sequence[Group], error: RejectedError) -> dict[int, str]:
    """Which groups hold the rejected points."""
    reason = f"store: {error.reason}"[:300]
    rejected = {id(point) for point in error.points}
    found = {
        at: reason
        for at, group in enumerate(groups)
        if any(id(point) in rejected for point in group)
    }
    if found or not error.points:
        return found
    # The store may return copies.
    return {
        at: reason
        for at, group in enumerate(groups)
        if any(point in error.points for point in group)
    }

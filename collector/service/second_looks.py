"""Schools' days that are derived once more a while later, where reads may lack what was stored.

How long they lack it is the store's word, and a busy server needs longer: what a keeper reads then
is not all, and nothing would tell. So it looks again, from the same report on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping

from collector.service.pipeline.pending_days import NOTHING_NEW, Pair, Taken

#: After so many times as long as reads may lack rows.
_TIMES = 6
#: As the mark of a day that nobody marked.
UNMARKED = -1


class SecondLooks:
    """For one thread. They are lost with the process; the days that are marked are not."""

    def __init__(self, readable_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._after_s, self._now = _TIMES * readable_s, now
        self._waiting: list[tuple[float, Pair, int]] = []  # when due, and from when on
        self._at, self._marked = 0.0, dict[Pair, Taken]()  # of this run

    def added_to(self, taken: Mapping[Pair, Taken]) -> dict[Pair, Taken]:
        """What is marked, and what is to be looked at once more by now."""
        self._at, self._marked, found = self._now(), dict(taken), dict(taken)
        for due, pair, since in self._waiting:
            if due <= self._at:
                known = found.get(pair, Taken(since, UNMARKED))
                found[pair] = known._replace(since=min(since, known.since))
        return found

    def derived(self, done: Collection[Pair]) -> None:
        """These are; those that were marked are looked at once more later."""
        if not self._after_s:
            return
        self._waiting = [
            (due, pair, since)
            for due, pair, since in self._waiting
            if due > self._at or pair not in done
        ]
        due, marked = self._now() + self._after_s, self._marked
        self._waiting += [
            (due, pair, marked[pair].since)
            for pair in done
            if pair in marked and marked[pair].since < NOTHING_NEW
        ]

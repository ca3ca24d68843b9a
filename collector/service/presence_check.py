"""What the broker retains of each PC: asked for in time, and in a group held against the store.

A live presence goes to one collector, and is lost with it or with its connection. What the broker
retains still has it: so each has that sent again from time to time, and stores what is lacking.
A collector alone judges it where it comes, in its order; the rest is for the members of a group.

A retained presence is old news: a newer one may be on its way to the store by another connection
or another member. So it waits, gives way to any live one that comes after it, and is judged when
none has come for a while, by what the store then has.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from agent.common import log
from agent.wire import LINESERVER
from collector.ingest import Noted
from collector.service.mqtt.callbacks import guarded
from collector.service.pipeline.presences import MOST, Presences
from collector.store.base import Point, StoreError

#: So long, after the last one came, retained presences wait for what is on its way, s: twice that
#: at most, as members that store the same at the same time store it twice.
WAIT_S = 5.0
#: What was lost is stored within this time, and what it takes to ask for all schools, s.
EVERY_S = 3600.0
#: Schools that are asked for together, and how long after them the next, s. All at once would be
#: more than the broker queues for a client (4,200 messages), and it drops the rest.
_SCHOOLS, _PAUSE_S = 10, 0.4
#: A store that cannot be read may keep its reader for half a minute, and messages wait meanwhile.
_RETRY_S = 60.0
#: So long it may take until no more come, s: then those that have waited are judged.
_LONGEST_S = 60.0


class _Waiting(NamedTuple):
    noted: Noted
    since: float  # of the clock


class PresenceCheck:
    """`heard` is for the thread of the connection that hears every presence, `due` for the sorter.

    Of each school at most `MOST` presences wait.
    """

    def __init__(
        self,
        presences: Presences,
        schools: Callable[[], Collection[str]],
        ask: Callable[[Sequence[str]], None],
        admits: Callable[[Noted, int], bool],
        *,
        readable_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`ask` has what is retained of some of the `schools` sent again, and of none at the end.

        `admits`: whether a retained one's PC has a place in its school, at a time in ms.

        `readable_s`: as `Limits`. `clock`: seconds; `draw`: numbers in [0, 1).
        """
        self._presences, self._ask, self._admits = presences, ask, admits
        self._schools, self._unasked, self._asking = schools, list[str](), False
        self._wait_s, self._clock, self._draw = WAIT_S + readable_s, clock, draw
        self._waiting: dict[str, dict[str, _Waiting]] = {}
        self._lock = threading.Lock()
        self._oldest, self._due, self._retry_at = math.inf, 0.0, 0.0
        self._all_at = clock() + draw() * EVERY_S
        self._next_at = 0.0
        self._failing = False

    def heard(self, noted: Noted, *, retained: bool) -> None:
        """A presence, in the broker's order: what is retained waits, a live one takes its place."""
        with self._lock:
            of_school = self._waiting.setdefault(noted.school, {})
            if not retained:
                of_school.pop(noted.machine, None)
            elif noted.machine in of_school or len(of_school) < MOST:
                now = self._clock()
                of_school[noted.machine] = _Waiting(noted, now)
                self._oldest = min(self._oldest, now)
                wait_s = self._wait_s * (1 + self._draw())
                self._due = min(now + wait_s, self._oldest + self._wait_s + _LONGEST_S)
        if not retained:
            self._presences.heard(noted)

    def again(self) -> None:
        """Ask for all soon: something may have been missed. For any thread."""
        self._all_at = 0.0

    def due(self) -> tuple[Point, ...]:
        """The points that the store lacks, once they have waited; called often. Asks when due."""
        now = self._clock()
        self._ask_for_some(now)
        with self._lock:
            if now < max(self._due, self._retry_at) or not any(self._waiting.values()):
                return ()
            self._due = self._retry_at = now + _RETRY_S
        if not self._read():
            return ()
        self._retry_at = 0.0
        return tuple(self._lacking(now))

    def _ask_for_some(self, now: float) -> None:
        if now >= self._all_at and not self._asking:  # of very many schools the last come too
            self._all_at = now + EVERY_S * (1 + self._draw()) / 2  # not all members at once
            self._unasked, self._asking = sorted((LINESERVER, *self._schools())), True
        if self._asking and now >= self._next_at:
            self._next_at = now + _PAUSE_S
            some, self._unasked = self._unasked[:_SCHOOLS], self._unasked[_SCHOOLS:]
            self._asking = bool(some)
            guarded(self._ask, some)

    def _read(self) -> bool:
        """Learn what the store has: without that nothing is judged."""
        try:
            self._presences.load()
        except StoreError as error:
            if not self._failing:
                log.warning("presences_unknown", reason=error)
            self._failing = True
            return False
        self._failing = False
        return True

    def _lacking(self, begun: float) -> Iterator[Point]:
        for noted in self._ripe(begun):
            # Looked at first: to be admitted takes a place in the school, or keeps it.
            at_ms = noted.points[0].time // 1_000_000
            if (
                self._presences.lacks(noted)
                and self._admits(noted, at_ms)
                and self._presences.is_new(noted, retained=True)
            ):
                yield from noted.points

    def _ripe(self, begun: float) -> list[Noted]:
        """Those that had waited when the store was read; they no longer do."""
        with self._lock:
            ripe = [
                one.noted
                for of_school in self._waiting.values()
                for one in of_school.values()
                if one.since <= begun - self._wait_s
            ]
            for noted in ripe:
                del self._waiting[noted.school][noted.machine]
            self._oldest = begun if any(self._waiting.values()) else math.inf
            return ripe

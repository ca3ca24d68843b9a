"""Whether a cluster's answers hold all that was stored: it is asked for rows that must be there.

A half-dead cluster of openGemini answers without an error and without a part of its rows: those of
a partition that nobody serves, or all that a store missed while it was away, where only that store
is left. So each database has a row for each of `_PARTS` series, spread over all partitions by their
hash. A reader writes a new number into them now and then, and an answer counts only if the same
server gives that number, or a later one, of all of them before it and after it. A copy that has the
number has all that was acknowledged before, as each partition takes its writes in one order.

The rows lie in the shard that reports go into now. A partition has one log for all its shards, and
once one of them is written to disk, openGemini 1.5.2 takes what the log has until then for done,
also what the others still have in memory alone. A shard of their own, written to disk again and
again, made a store that was killed forget what the shard of today had been given since its morning.

Not covered: a partition that none of those series falls into (of 32 partitions one cluster in a
hundred would have such), rows that a store has lost from its disk, a Grafana that asks the server
itself.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from agent.common.language import say
from collector.store.base import StoreError, UnavailableError

_PARTS = 256
#: The rows' time is the start of this day: shards are whole days of UTC, or several.
_DAY_NS = 86_400 * 10**9
#: A new number is written after so long; rows that were there serve the next question for so long,
#: less than a cluster takes to notice a store's death; missing ones are waited for so long, s.
_EVERY_S, _SERVES_S, _PATIENCE_S, _POLL_S = 5.0, 0.1, 2.0, 0.05
#: Where something failed, or came as late as while one store takes over from another, a store may
#: have caught up just now, and new series that it took over are readable a moment later: up to 6 s
#: on a busy machine. So long no answer counts.
_LATE_S, SETTLES_S = 0.5, 10.0

_Write = Callable[[str, bytes], None]
_Ask = Callable[[str, str], Iterable[Mapping[str, Any]]]


class Witness:
    """The witness rows of one server's databases; safe from several threads."""

    def __init__(self, write: _Write, ask: _Ask, readable_s: float, *, cluster: bool) -> None:
        """`write` stores lines in a database, `ask` gives the series of one statement's answer.

        `readable_s`: how long rows of a new series may be missing, s. Of a `cluster` it is not
        known at first whether it has just come back.
        """
        self._write, self._ask, self._readable_s = write, ask, readable_s
        self._lock = threading.Lock()
        self._cluster = cluster
        self._closing = threading.Event()
        self._number: dict[str, int] = {}  # of each database, the last that was written here
        self._day: dict[str, int] = {}  # the time of the rows that have it, ns
        self._written: dict[str, float] = {}  # when that was
        self._seen: dict[str, float] = {}  # when it was last there
        self._doubted: set[str] = set()  # databases that failed, and are not there again yet
        self._settled: dict[str, float] = {}  # when their answers count again

    def before(self, database: str) -> None:
        """Return once the database's rows are all there; to be called before a question.

        Raises:
            UnavailableError: some are not, so an answer may lack rows: ask again later.
            MisconfiguredError: the server does not take them.
        """
        while (wait := self._looked(database)) > 0:
            if self._closing.wait(wait):
                raise UnavailableError(self._missing(database, []))

    def after(self, database: str) -> None:
        """Return if they are there at once; to be called when an answer begins.

        Raises:
            As `before`.
        """
        with self._lock:
            found = self._found(database)
            if not self._there(database, found):
                raise UnavailableError(self._missing(database, found))

    def failed(self, database: str) -> None:
        """An answer failed: the next ones are given time before they count."""
        with self._lock:
            self._doubt(database)

    def close(self) -> None:
        """End all waits."""
        self._closing.set()

    def _looked(self, database: str) -> float:
        """How long its answers do not count yet, s."""
        with self._lock:
            self._follow_day(database)
            now = time.monotonic()
            due = now - self._written.get(database, -math.inf) > _EVERY_S
            settled = self._settled.get(database, -math.inf)
            if not due and now > settled and now - self._seen.get(database, -math.inf) < _SERVES_S:
                return 0.0
            try:
                self._called(database, due)
            except StoreError:
                self._doubt(database)
                raise
            now = time.monotonic()
            if database in self._doubted:
                self._doubted.discard(database)
                settled = self._settled[database] = now + SETTLES_S
            return settled - now

    def _doubt(self, database: str) -> None:
        self._doubted.add(database)
        self._seen.pop(database, None)

    def _called(self, database: str, due: bool) -> None:
        if self._cluster and database not in self._number:
            self._doubt(database)
        patience = _PATIENCE_S if database in self._seen else self._readable_s
        if due:
            self._renew(database)
        if not self._comes(database, patience):
            self._renew(database)  # another reader's number, a smaller one, may have come last
            if not self._comes(database, _PATIENCE_S):
                raise UnavailableError(self._missing(database, self._found(database)))

    def _follow_day(self, database: str) -> None:
        """A new day has no rows yet: its number is due, and they may take as long as any new ones.

        They do where a shard begins with the day; where it has many days they are read at once.
        """
        day = time.time_ns() // _DAY_NS * _DAY_NS
        if day != self._day.get(database):
            self._day[database] = day
            self._written.pop(database, None)
            self._seen.pop(database, None)

    def _renew(self, database: str) -> None:
        """Write a new number: larger than any there, whatever the clocks of other readers say."""
        begun, day = time.monotonic(), self._day[database]
        number = max(time.time_ns() // 10**6, *(n + 1 for n in self._found(database)), 0)
        rows = (f"witness,part={part} n={number}i {day}" for part in range(_PARTS))
        self._write(database, "\n".join(rows).encode())
        self._number[database], self._written[database] = number, begun

    def _comes(self, database: str, patience: float) -> bool:
        """Whether all rows have the number within a while."""
        begun = time.monotonic()
        while not self._there(database, self._found(database)):
            if time.monotonic() - begun > patience or self._closing.wait(_POLL_S):
                return False
        if time.monotonic() - begun > _LATE_S:
            self._doubted.add(database)
        return True

    def _there(self, database: str, found: Sequence[int]) -> bool:
        if len(found) < _PARTS or min(found) < self._number[database]:
            return False
        self._seen[database] = time.monotonic()
        return True

    def _found(self, database: str) -> list[int]:
        """The numbers of the rows that are there."""
        # Row by row: count() and min() take a row that was written again for two.
        asked = f'SELECT "n" FROM "witness" WHERE time = {self._day[database]}'  # noqa: S608
        return [
            int(dict(zip(series["columns"], row, strict=True))["n"])
            for series in self._ask(database, asked)
            for row in series["values"]
        ]

    def _missing(self, database: str, found: Sequence[int]) -> str:
        said = f"{len(found)} < {_PARTS}"
        if len(found) >= _PARTS:
            said = f"{min(found)} < {self._number[database]}"
        return say(
            f"{database}：集群的回答可能不全（见证行 {said}），稍后再试；"
            "请检查各 ts-store 是否都在运行",
            f"{database}: the cluster's answers may lack rows (witness rows: {said}); try again "
            "later, and check that every ts-store runs",
        )

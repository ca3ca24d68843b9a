"""Whether a cluster's answers hold all that was stored: it is asked for rows that must be there.

A half-dead cluster of openGemini answers without an error and without a part of its rows: those of
a partition that nobody serves, or all that a store missed while it was away, where only that store
is left. So each database has a row for each of `_PARTS` series, spread over all partitions by their
hash. A reader writes a new number into them now and then, and an answer counts only if the same
server gives that number, or a later one, of all of them before it and after it. A copy that has the
number has all that was acknowledged before, as each partition takes its writes in one order.

Not covered: a partition that none of those series falls into (of 8 partitions one in 600 cities
would have such), rows that a store has lost from its disk, a Grafana that asks the server itself.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from agent.common.language import say
from collector.store.base import UnavailableError

_PARTS = 64
#: The rows' time, 2100 UTC: in a shard that no retention drops and no reader of days touches.
_TIME = 4_102_444_800 * 10**9
#: Row by row: count() and min() take a row that was written again for two.
_ASKED = f'SELECT "n" FROM "witness" WHERE time = {_TIME}'  # noqa: S608
#: A new number is written after so long; rows that were there serve the next question for so long,
#: less than a cluster takes to notice a store's death; missing ones are waited for so long, s.
_EVERY_S, _SERVES_S, _PATIENCE_S, _POLL_S = 5.0, 0.1, 2.0, 0.05
#: Where they came late, a store may have caught up just now, and new series that it took over are
#: readable a moment later: up to 6 s on a busy machine.
SETTLES_S = 10.0

_Write = Callable[[str, bytes], None]
_Ask = Callable[[str, str], Iterable[Mapping[str, Any]]]


class Witness:
    """The witness rows of one server's databases; safe from several threads."""

    def __init__(self, write: _Write, ask: _Ask, readable_s: float) -> None:
        """`write` stores lines in a database, `ask` gives the series of one statement's answer.

        `readable_s`: how long rows of a new series may be missing, s.
        """
        self._write, self._ask, self._readable_s = write, ask, readable_s
        self._lock = threading.Lock()
        self._number: dict[str, int] = {}  # of each database, the last that was written here
        self._written: dict[str, float] = {}  # when that was
        self._seen: dict[str, float] = {}  # when it was last there

    def before(self, database: str) -> None:
        """Return once the database's rows are all there; to be called before a question.

        Raises:
            UnavailableError: some are not, so an answer may lack rows: ask again later.
            MisconfiguredError: the server does not take them.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._written.get(database, -math.inf) > _EVERY_S:
                self._renew(database)
            elif now - self._seen.get(database, -math.inf) < _SERVES_S:
                return
            if not self._comes(database):
                self._renew(database)  # another reader's number, a smaller one, may have come last
                if not self._comes(database):
                    raise UnavailableError(self._missing(database))

    def after(self, database: str) -> None:
        """Return if they are there at once; to be called when an answer begins.

        Raises:
            As `before`.
        """
        with self._lock:
            if not self._there(database):
                self._seen.pop(database, None)
                raise UnavailableError(self._missing(database))

    def _renew(self, database: str) -> None:
        """Write a new number: larger than any seen, whatever the clocks of other readers say."""
        last = self._number.get(database) or self._found(database)[1]
        number = max(time.time_ns() // 10**6, last + 1)
        begun = time.monotonic()
        rows = (f"witness,part={part} n={number}i {_TIME}" for part in range(_PARTS))
        self._write(database, "\n".join(rows).encode())
        self._number[database], self._written[database] = number, begun

    def _comes(self, database: str) -> bool:
        """Whether all rows have the number within a while."""
        if self._there(database):
            return True
        until = time.monotonic() + (_PATIENCE_S if database in self._seen else self._readable_s)
        while time.monotonic() < until:
            threading.Event().wait(_POLL_S)
            if self._there(database):
                threading.Event().wait(SETTLES_S)
                return self._there(database)
        return False

    def _there(self, database: str) -> bool:
        asked = time.monotonic()
        count, least = self._found(database)
        if count < _PARTS or least < self._number[database]:
            return False
        self._number[database], self._seen[database] = least, asked
        return True

    def _found(self, database: str) -> tuple[int, int]:
        """How many rows there are, and the least number in them."""
        numbers = [
            int(dict(zip(series["columns"], row, strict=True))["n"])
            for series in self._ask(database, _ASKED)
            for row in series["values"]
        ]
        return len(numbers), min(numbers, default=0)

    def _missing(self, database: str) -> str:
        count, least = self._found(database)
        said = f"{count} < {_PARTS}" if count < _PARTS else f"{least} < {self._number[database]}"
        return say(
            f"{database}：集群的回答可能不全（见证行 {said}），稍后再试；"
            "请检查各 ts-store 是否都在运行",
            f"{database}: the cluster's answers may lack rows (witness rows: {said}); try again "
            "later, and check that every ts-store runs",
        )

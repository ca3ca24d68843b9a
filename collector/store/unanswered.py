"""Rows of writes that an address did not answer: it may store them later, over newer ones.

A query node that stood still has such a write in its hands when it goes on. By then the row may
have been derived anew and written at another address: the older one would stay, as the keeper
writes only what changes. So of each such row the newest that was stored is kept, and written once
more when that address answers, and again a while later, as an answer does not show that all that
came before it is done.
"""

from __future__ import annotations

from collections.abc import Iterable

from agent.common import log
from collector.schema import MEASUREMENTS
from collector.store.base import Point

#: How often they are written again; how many are kept of one address.
_TIMES, _MOST = 2, 20_000
_DERIVED = frozenset(name for name, known in MEASUREMENTS.items() if known.derived)
_Key = tuple[str, frozenset[tuple[str, str]], int]


def may_change(points: Iterable[Point]) -> list[Point]:
    """Those whose values change while their time stays: all others are sent again as they were."""
    return [point for point in points if point.measurement in _DERIVED]


class Unanswered:
    """Of one address; for one thread at a time."""

    def __init__(self) -> None:
        self._newest: dict[_Key, Point | None] = {}  # None: not stored anywhere since
        self._times, self._next = _TIMES, 0.0

    def came(self, points: Iterable[Point]) -> None:
        """These were sent to it, and no answer came."""
        for point in points:
            self._newest.setdefault(_key(point), None)
        self._times, self._next = _TIMES, 0.0
        if (more := len(self._newest) - _MOST) > 0:
            log.warning("unanswered_rows_forgotten", rows=more)
            for key in list(self._newest)[:more]:
                del self._newest[key]

    def stored(self, points: Iterable[Point]) -> None:
        """These were stored, here or at another address."""
        if not self._newest:
            return
        for point in points:
            key = _key(point)
            if key in self._newest:
                before = self._newest[key]
                fields = {**(before.fields if before else {}), **point.fields}
                self._newest[key] = point._replace(fields=fields)

    def due(self, now: float) -> list[Point]:
        """What is to be written to it once more now."""
        if now < self._next:
            return []
        return [point for point in self._newest.values() if point is not None]

    def written(self, again: float) -> None:
        """That is done; once more at `again`, or never."""
        self._times, self._next = self._times - 1, again
        if not self._times:
            self._newest.clear()
            self._times, self._next = _TIMES, 0.0


def _key(point: Point) -> _Key:
    tags = frozenset((name, value) for name, value in point.tags.items() if value)
    return point.measurement, tags, point.time

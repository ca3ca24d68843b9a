"""The collector's own points: its counts, and the broker's from $SYS."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from collector.schema import MEASUREMENTS
from collector.service.counts import Counts
from collector.store.seam import Point, Value

PERIOD_S = 60.0
SYS = {
    "$SYS/broker/publish/messages/dropped": "dropped",
    "$SYS/broker/messages/received": "received",
    "$SYS/broker/clients/connected": "clients",
}


class OwnPoints:
    """Makes the points of measurement `collector` and `broker`, one each a minute."""

    def __init__(
        self,
        counts: Counts,
        queue: Callable[[], int],
        write_ms: Callable[[], float],
        more: Callable[[], Mapping[str, Value]] = dict,
    ) -> None:
        self._counts, self._queue, self._write_ms = counts, queue, write_ms
        self._more = more
        self._broker: dict[str, int] = {}
        self._due = time.monotonic() + PERIOD_S

    def heard(self, topic: str, payload: bytes) -> None:
        """Keep one of the broker's own counts; anything else is ignored."""
        name, text = SYS.get(topic), payload.strip()
        if name and text.isdigit() and len(text) < 19:
            self._broker[name] = int(text)

    def due(self) -> tuple[Point, ...]:
        """The points, once a period; else none."""
        if time.monotonic() < self._due:
            return ()
        self._due = time.monotonic() + PERIOD_S
        return self.now(time.time_ns())

    def now(self, time_ns: int) -> tuple[Point, ...]:
        """The points as of now."""
        known = MEASUREMENTS["collector"].fields
        fields: dict[str, Value] = {
            name: count for name, count in self._counts.snapshot().items() if name in known
        }
        fields |= {"queue": self._queue(), "write_ms": self._write_ms(), **self._more()}
        points = [Point("collector", {}, fields, time_ns)]
        if self._broker:
            points.append(Point("broker", {}, dict(self._broker), time_ns))
        return tuple(points)

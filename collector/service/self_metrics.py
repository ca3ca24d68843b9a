"""The collector's own points: its counts, and the broker's from $SYS."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from collector.schema import MEASUREMENTS
from collector.service.pipeline.counts import Counts
from collector.store.base import Point, Value

PERIOD_S = 60.0
SYS = {
    "$SYS/broker/publish/messages/dropped": "dropped",
    "$SYS/broker/messages/received": "received",
    "$SYS/broker/clients/connected": "clients",
}


class SelfMetrics:
    """Makes the points of measurement `collector` and `broker`, one each a minute."""

    def __init__(self, counts: Counts, gauges: Callable[[], Mapping[str, Value | None]]) -> None:
        self._counts, self._gauges = counts, gauges
        self._broker: dict[str, int] = {}
        self._due = time.monotonic() + PERIOD_S

    def broker_said(self, topic: str, payload: bytes) -> None:
        """Keep one of the broker's own counts, from $SYS; any other topic is ignored."""
        name, text = SYS.get(topic), payload.strip()
        if name and text.isdigit() and len(text) < 19:
            self._broker[name] = int(text)

    def due(self) -> tuple[Point, ...]:
        """The points, once a period; otherwise none."""
        if time.monotonic() < self._due:
            return ()
        self._due = time.monotonic() + PERIOD_S
        return self.now(time.time_ns())

    def gauges(self) -> dict[str, Value]:
        """The values that go up and down, where they are known."""
        return {name: value for name, value in self._gauges().items() if value is not None}

    @property
    def broker(self) -> Mapping[str, int]:
        """The broker's own counts, as last received."""
        return dict(self._broker)

    def now(self, time_ns: int) -> tuple[Point, ...]:
        """The points as of now."""
        known = MEASUREMENTS["collector"].fields
        fields: dict[str, Value] = {
            name: count for name, count in self._counts.snapshot().items() if name in known
        }
        fields |= self.gauges()
        points = [Point("collector", {}, fields, time_ns)]
        if self._broker:
            points.append(Point("broker", {}, dict(self._broker), time_ns))
        return tuple(points)

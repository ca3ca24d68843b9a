"""What the keeper would have remembered: since when a device is as it is, and each change of it.

    changes = Changes()
    for day, points in days_oldest_first:
        points, events = changes.of(points)

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from collector.simulate.habits import chance
from collector.store import Point, Value

#: A change is seen within this time after the day's first report.
_WITHIN_MS = 20_000_000
_NS = 10**6


class _Since(NamedTuple):
    seen: bool = True
    seen_ms: int = 0
    fault: bool = False
    fault_ms: int = 0


class Changes:
    """The devices' states, from day to day."""

    def __init__(self) -> None:
        self._known: dict[str, _Since] = {}

    def of(self, devices: Sequence[Point]) -> tuple[list[Point], list[Point]]:
        """A day's `device_day` points with the time since when, and the day's `event` points."""
        made: list[Point] = []
        events: list[Point] = []
        for point in devices:
            now, before = self._now(point)
            self._known[point.tags["device"]] = now
            since: dict[str, Value] = {"presence_ms": now.seen_ms, "health_ms": now.fault_ms}
            made.append(point._replace(fields={**point.fields, **since}))
            events += _events(point, before, now)
        return made, events

    def _now(self, point: Point) -> tuple[_Since, _Since]:
        """The device's state after this day, and the one before it."""
        device = point.tags["device"]
        seen, fault = bool(point.fields["seen"]), bool(point.fields["fault"])
        at = int(point.time // _NS) + 30_600_000 + int(chance(device, point.time) * _WITHIN_MS)
        before = self._known.get(device) or _Since(seen_ms=at, fault_ms=at)
        return _Since(
            seen, before.seen_ms if seen == before.seen else at,
            fault, before.fault_ms if fault == before.fault else at + 1,
        ), before  # fmt: skip


def _events(point: Point, before: _Since, now: _Since) -> Iterator[Point]:
    if now.seen != before.seen:
        yield _event(point, "appeared" if now.seen else "gone", "", now.seen_ms)
    if now.fault != before.fault:
        told = fault_of(point.tags["device"])
        yield _event(point, "fault" if now.fault else "repaired", told, now.fault_ms)


def _event(point: Point, event: str, detail: str, at_ms: int) -> Point:
    fields: dict[str, Value] = {"event": event, "detail": detail, "simulated": True}
    return Point("event", point.tags, fields, at_ms * _NS)


def fault_of(device: str) -> str:
    """What a device says of its fault: code of FAULTS."""
    return _FAULTS[int(chance(device) * len(_FAULTS))]


_FAULTS = ("lamp", "cover", "fan", "temperature")

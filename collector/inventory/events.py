"""What has happened to devices: appeared, gone, fault, repaired."""

from __future__ import annotations

from collector.keeper.stateful import WITHDRAWN
from collector.store.base import Point, Store

_DAY_NS = 86_400 * 10**9


def load(store: Store, now_ms: int, days: int, school: str = "") -> list[Point]:
    """The events of the last days, the newest first, without those that a late report withdrew.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    stop = now_ms * 10**6
    tags = {"school": school} if school else None
    found = store.read("event", stop - days * _DAY_NS, stop, tags)
    valid = [point for point in found if point.fields.get("event") != WITHDRAWN]
    return valid[::-1]

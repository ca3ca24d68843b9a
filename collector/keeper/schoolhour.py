"""One school's hours of a day: reads its points from the store and derives its hour rows."""

from __future__ import annotations

import datetime as dt

from collector.keeper.hours import school_hours
from collector.keeper.midnight import bounds
from collector.roster.register import Register
from collector.store import Point, Store

_AGENT = ("number", "simulated", "uncertain")
_DEVICE = ("present", "fault", "uncertain")


def derive(store: Store, register: Register, school: str, day: dt.date, now: int) -> list[Point]:
    """The `school_hour` rows of a school that the store lacks or has with other values.

    Hours that begin after `now` (ns since 1970 UTC) have no row yet.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    start, stop = bounds(day)
    tags = {"school": school}
    stored = list(store.read("school_hour", start, stop, tags))
    hours = school_hours(
        store.read("agent", start, stop, tags, _AGENT),
        store.read("device", start, stop, tags, _DEVICE),
        stored,
        register,
        school,
        day,
        now,
    )
    known = {(point.time, point.tags.get("district")): point.fields for point in stored}
    return [
        point for point in hours if point.fields != known.get((point.time, point.tags["district"]))
    ]

"""What expires, and how many days are left. Pure."""

from __future__ import annotations

import datetime as dt

from agent.common.calendar import CITY_TIME, Calendar
from collector.store.base import Value

_DAY_S = 86_400


def days_left(calendar: Calendar, expires: float | None, now: dt.datetime) -> dict[str, Value]:
    """`calendar_days` and `certificate_days` of the `collector` measurement, those known.

    `expires` is when the broker's certificate does, s since 1970 UTC; `now` is aware. What has
    expired has a negative number.
    """
    found: dict[str, Value] = {}
    if calendar.terms:
        last = max(last for _, last in calendar.terms)
        found["calendar_days"] = (last - now.astimezone(CITY_TIME).date()).days
    if expires is not None:
        found["certificate_days"] = int((expires - now.timestamp()) // _DAY_S)
    return found

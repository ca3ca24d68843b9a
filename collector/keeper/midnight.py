"""Where a day begins and ends. Pure."""

from __future__ import annotations

import datetime as dt

from agent.wire import CITY_TIME

_SECOND = 1_000_000_000
MS = 1_000_000  # ns


def midnight(day: dt.date) -> int:
    """Where a day's rows stand: its Shanghai midnight, in ns since 1970 UTC."""
    return int(dt.datetime.combine(day, dt.time(), CITY_TIME).timestamp()) * _SECOND


def bounds(day: dt.date) -> tuple[int, int]:
    """The times [start, stop) of a local day, in ns since 1970 UTC."""
    return midnight(day), midnight(day + dt.timedelta(days=1))

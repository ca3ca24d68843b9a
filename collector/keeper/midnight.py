"""Start and end of a local day. Pure."""

from __future__ import annotations

import datetime as dt

from agent.common.calendar import midnight_ns as midnight

__all__ = ["MS", "bounds", "midnight"]

MS = 1_000_000  # ns


def bounds(day: dt.date) -> tuple[int, int]:
    """The times [start, stop) of a local day, in ns since 1970 UTC."""
    return midnight(day), midnight(day + dt.timedelta(days=1))

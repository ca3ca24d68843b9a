"""Compares this machine's clock with other clocks, to tell whether it can be trusted. Pure.

The city's PCs take the time from receipts, so the collector's clock is the one that nothing
corrects. It is compared with the database server's and the measurement server's (HTTP's `Date`, in
whole seconds) and with the PCs' own: a single PC's clock proves nothing, but most of a city's do
not agree by chance.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import NamedTuple

#: If the clocks of two servers are further apart than this, one is wrong. s
APART_S = 10.0
#: The same against the majority of the PCs, which is less exact. s
PCS_APART_S = 60.0
#: Fewer PCs than this are not taken as a majority.
_FEWEST = 3


class Majority(NamedTuple):
    """How far this clock is ahead of the PCs' own, if most of them agree."""

    ahead_s: float
    agree: int
    asked: int


def ahead_of(date: str | None, now: float) -> float | None:
    """How far `now` (s since 1970 UTC) is ahead of an HTTP reply's `Date`, s.

    None if it is missing or malformed. Dates have no fraction of a second; half a second is the
    best guess of it.
    """
    try:
        date_there = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    if date_there.tzinfo is None:
        date_there = date_there.replace(tzinfo=dt.UTC)
    return now - date_there.timestamp() - 0.5


def of_pcs(offsets_ms: Sequence[int]) -> Majority | None:
    """The majority of the PCs' offsets (corrected time minus their own clock, ms).

    None if there are fewer than three, or if not more than half of them are within
    `PCS_APART_S` of the median.
    """
    if len(offsets_ms) < _FEWEST:
        return None
    median = statistics.median(offsets_ms)
    agree = sum(abs(one - median) <= PCS_APART_S * 1000 for one in offsets_ms)
    return Majority(median / 1000, agree, len(offsets_ms)) if 2 * agree > len(offsets_ms) else None

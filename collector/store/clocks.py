"""Whether this machine's clock can be trusted: what the other clocks around it say. Pure.

A receipt tells a whole city the time, so the collector's clock is the one that nothing corrects.
It is held against the database server's and the measurement server's (the `Date` of HTTP, to the
second) and against the PCs' own: one PC's clock says nothing, but most of a city do not agree by
chance.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import NamedTuple

#: Servers keep time: further apart than this, one of the two is wrong. s
APART_S = 10.0
#: PCs are asked by their majority, and less exactly. s
PCS_APART_S = 60.0
#: Fewer PCs than this are no majority of anything.
_FEWEST = 3


class Majority(NamedTuple):
    """How far this clock is ahead of the PCs' own, where most of them agree."""

    ahead_s: float
    agree: int
    asked: int


def ahead_of(date: str | None, now: float) -> float | None:
    """How far `now` (s since 1970 UTC) is ahead of an HTTP reply's `Date`, s.

    None where there is none, or it is none. Dates are cut off to the second: half of one is
    the best guess of what was cut off.
    """
    try:
        told = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    if told.tzinfo is None:
        told = told.replace(tzinfo=dt.UTC)
    return now - told.timestamp() - 0.5


def of_pcs(offsets_ms: Sequence[int]) -> Majority | None:
    """From the PCs' offsets (corrected time minus their own clock, ms).

    None where they are few, or no more than half are within `PCS_APART_S` of the median.
    """
    if len(offsets_ms) < _FEWEST:
        return None
    median = statistics.median(offsets_ms)
    agree = sum(abs(one - median) <= PCS_APART_S * 1000 for one in offsets_ms)
    return Majority(median / 1000, agree, len(offsets_ms)) if 2 * agree > len(offsets_ms) else None

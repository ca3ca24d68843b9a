"""How many of a room's PCs were on in one same hour. Pure.

Eight machine ids, one after another, are no eight seats: PCs count together only if each reported
in the same hour of the day, and their spans, from first report to last, all overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from collector.keeper.fields import number
from collector.store import Point

_HOUR_MS = 3_600_000
_CITY_MS = 8 * _HOUR_MS  # Asia/Shanghai, which has no summer time
HOURS = 24


class Span(NamedTuple):
    """A PC's day: first and last report in ms since 1970 UTC, and the hours with one, as bits."""

    first: int
    last: int
    hours: int


def hour_bit(millis: int) -> int:
    """The bit of the city's hour of the day: 1 for 0:00, 2 for 1:00, 4 for 2:00, ..."""
    return int(1 << (millis + _CITY_MS) // _HOUR_MS % HOURS)


def span(machine_day: Point) -> Span | None:
    """A PC's span; None if the row does not say from when to when.

    Rows of older keepers have no hours: only those of the first and last report are certain.
    """
    fields = machine_day.fields
    first, last = number(fields, "first_ms"), number(fields, "last_ms")
    if first is None or last is None:
        return None
    hours = number(fields, "hours") or 0
    return Span(first, last, hours | hour_bit(first) | hour_bit(last))


def together(spans: Iterable[Span]) -> int:
    """The most PCs that reported in one same hour with overlapping spans."""
    rows = sorted(spans)
    most = 0
    for hour in range(HOURS):
        there = [row for row in rows if row.hours >> hour & 1]
        if len(there) > most:
            most = max(most, _at_once(there))
    return most


def _at_once(spans: Sequence[Span]) -> int:
    """The most of these spans, sorted by their start, that have one moment in common.

    Such a moment is in the hour too in which all of them reported: of intervals on a line that
    overlap in pairs, all share a point.
    """
    ends = sorted(row.last for row in spans)
    most = left = 0
    for began, row in enumerate(spans, start=1):
        while ends[left] < row.first:
            left += 1
        most = max(most, began - left)
    return most

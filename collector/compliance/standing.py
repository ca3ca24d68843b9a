"""What a unit said before its window: a no, however old, stands until a later yes. Pure."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collector.compliance.window import ONE_DAY


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a stretch of days says: yes or no, and the newest day that it rests on."""

    yes: bool
    day: dt.date


@dataclass(frozen=True, slots=True)
class Standing:
    """The window's own word, or else the last word before it."""

    now: Opinion | None
    before: Opinion | None = None

    @property
    def yes(self) -> dt.date | None:
        """Newest day of what the window shows."""
        return self.now.day if self.now and self.now.yes else None

    @property
    def no(self) -> dt.date | None:
        """Newest day of a no: the window's, or an older one that stands."""
        said = self.now or self.before
        return said.day if said and not said.yes else None

    @property
    def cleared(self) -> dt.date | None:
        """Newest day of what was shown before the window and has expired."""
        return self.before.day if self.now is None and self.before and self.before.yes else None


Ask = Callable[[int, int], Opinion | None]
"""What days[lo:hi] of a unit say."""


def standing(
    days: Sequence[dt.date],
    ask: Ask,
    first: Callable[[dt.date], dt.date],
    cutoff: dt.date,
) -> Standing:
    """Where a unit stands at the cut-off.

    `days` are the days on which it spoke, sorted, one or more entries a day; `first` gives the
    first day of the window that ends with a day. Where the window up to the cut-off is open,
    the windows up to each day before are asked, newest first. Of those a no counts always,
    even when only silence made it (good days left the window, bad ones stayed); a yes counts
    only on a day that brought something for it, so that silence clears nothing.
    """
    hi = bisect_right(days, cutoff)
    lo = bisect_left(days, first(cutoff))
    now = ask(lo, hi) if lo < hi else None
    if now or not hi:
        return Standing(now)
    return Standing(None, _before(days, ask, first, cutoff, (lo, hi)))


def _before(
    days: Sequence[dt.date],
    ask: Ask,
    first: Callable[[dt.date], dt.date],
    cutoff: dt.date,
    asked: tuple[int, int],
) -> Opinion | None:
    day = cutoff
    said: Opinion | None = None
    while day > days[0]:
        day -= ONE_DAY
        hi = bisect_right(days, day, hi=asked[1])
        lo = bisect_left(days, first(day), hi=hi)
        if (lo, hi) != asked:
            asked = lo, hi
            said = ask(lo, hi) if lo < hi else None
        if said and (not said.yes or said.day == day):
            return said
    return None

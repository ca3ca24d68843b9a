"""A unit's result from before its window: a no, however old, counts until a later yes. Pure."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from collector.compliance.window import ONE_DAY


@dataclass(frozen=True, slots=True)
class Opinion:
    """The result of some days: yes or no, and the newest day that it is based on."""

    yes: bool
    day: dt.date


@dataclass(frozen=True, slots=True)
class Standing:
    """The window's result, or if it is undecided the last result before it."""

    now: Opinion | None
    before: Opinion | None = None

    @property
    def yes(self) -> dt.date | None:
        """Newest day of the window's yes."""
        return self.now.day if self.now and self.now.yes else None

    @property
    def no(self) -> dt.date | None:
        """Newest day of a no: the window's, or an older one that still counts."""
        opinion = self.now or self.before
        return opinion.day if opinion and not opinion.yes else None

    @property
    def cleared(self) -> dt.date | None:
        """Newest day of a yes from before the window, which has expired."""
        return self.before.day if self.now is None and self.before and self.before.yes else None


Ask = Callable[[int, int], Opinion | None]
"""The result of a unit's days[lo:hi]."""


def standing(
    days: Sequence[dt.date],
    ask: Ask,
    first: Callable[[dt.date], dt.date],
    cutoff: dt.date,
) -> Standing:
    """What is known of a unit at the cut-off.

    `days` are the days with reports, sorted, one or more entries a day; `first` returns the first
    day of the window that ends with a day. If the window up to the cut-off is undecided, the
    windows up to each earlier day are judged, newest first. A no always counts, even if only
    silence made it (good days left the window, bad ones stayed). A yes counts only if its newest
    evidence is of the window's last day, so that silence clears nothing.
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
    opinion: Opinion | None = None
    while day > days[0]:
        day -= ONE_DAY
        hi = bisect_right(days, day, hi=asked[1])
        lo = bisect_left(days, first(day), hi=hi)
        if (lo, hi) != asked:
            asked = lo, hi
            opinion = ask(lo, hi) if lo < hi else None
        if opinion and (not opinion.yes or opinion.day == day):
            return opinion
    return None

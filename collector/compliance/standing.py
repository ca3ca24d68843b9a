"""What is known of a unit at the cut-off, from all windows up to it. Pure.

The rule is asked of the window of every day up to the cut-off, silent days too. A yes that it gave
on any day ends for good every no whose evidence is not newer than that day, whatever leaves the
window afterwards. So evidence alone changes a result to the worse, never the passing of days, and
the order of the evidence up to a yes does not matter. A no without a later yes stands, however old.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from collector.compliance.window import ONE_DAY


@dataclass(frozen=True, slots=True)
class Opinion:
    """The rule's word on some days, and the day of its evidence.

    Of a yes: the last good reading. Of a no: the newest reading that it is based on.
    """

    yes: bool
    day: dt.date


@dataclass(frozen=True, slots=True)
class Standing:
    """The window's yes; else the last word that stands: a no, or a yes that has left the window.

    With a yes in the window (`now`), nothing older can change the result.
    """

    now: Opinion | None
    before: Opinion | None = None

    @property
    def yes(self) -> dt.date | None:
        """Last good reading of the window's yes."""
        return self.now.day if self.now else None

    @property
    def no(self) -> dt.date | None:
        """Newest evidence of a no without a later yes, of the window or older."""
        return self.before.day if self.before and not self.before.yes else None

    @property
    def cleared(self) -> dt.date | None:
        """Last good reading of a yes of an earlier day, which has expired."""
        return self.before.day if self.before and self.before.yes else None


Ask = Callable[[int, int], Opinion | None]
"""The rule's word on a unit's days[lo:hi], of which there is at least one."""

First = Callable[[dt.date], dt.date]
"""The first day of the window that ends with a day; never earlier for a later day."""


def standing(days: Sequence[dt.date], ask: Ask, first: First, cutoff: dt.date) -> Standing:
    """What is known of a unit at the cut-off.

    `days` are the days with reports, sorted, one or more entries a day. The rule is asked once per
    different window, newest first, and no further than its answers can matter; where that is all
    of a year (a unit without any word) it is asked at most twice a reporting day.
    """
    no: Opinion | None = None
    for day, lo, hi in _windows(days, first, cutoff):
        if no and no.day > day:
            break  # no yes from here on is later than this no
        opinion = ask(lo, hi) if lo < hi else None
        if opinion and opinion.yes:
            return Standing(opinion) if day == cutoff else Standing(None, opinion)
        if opinion and (no is None or opinion.day > no.day):
            no = opinion
    return Standing(None, no)


def granted(days: Sequence[dt.date], ask: Ask, first: First, cutoff: dt.date) -> Opinion | None:
    """The last yes that any window up to the cut-off gave, also one that a no has followed."""
    for _, lo, hi in _windows(days, first, cutoff):
        opinion = ask(lo, hi) if lo < hi else None
        if opinion and opinion.yes:
            return opinion
    return None


def overruled(days: Sequence[dt.date], ask: Ask, first: First, cutoff: dt.date) -> Opinion | None:
    """The newest no that the last yes up to the cut-off has ended, None if there was none.

    To explain a result: it asks the rule of every window back to that no.
    """
    granted = False
    for _, lo, hi in _windows(days, first, cutoff):
        opinion = ask(lo, hi) if lo < hi else None
        granted |= bool(opinion and opinion.yes)
        if granted and opinion and not opinion.yes:
            return opinion
    return None


def _windows(
    days: Sequence[dt.date], first: First, cutoff: dt.date
) -> Iterator[tuple[dt.date, int, int]]:
    """(last day, lo, hi) of the windows, newest first; of equal ones in a row only the newest."""
    hi = lo = bisect_right(days, cutoff)
    day, seen = cutoff, (-1, -1)
    while hi:
        start = first(day)
        while hi and days[hi - 1] > day:
            hi -= 1
        lo = min(lo, hi)
        while lo and days[lo - 1] >= start:
            lo -= 1
        if (lo, hi) != seen:
            seen = lo, hi
            yield day, lo, hi
        day -= ONE_DAY

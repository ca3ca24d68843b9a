"""When a line meets the threshold: the rule over its valid tests. Pure.

The 90th percentile, the ceil(0.9 n)-th smallest, must reach 0.97 T, given at least 10 tests on
5 different days. The percentile is high, as other traffic and slow PCs lower a test's rate but
never raise it.
"""

from __future__ import annotations

import datetime as dt
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from collector.compliance.lines import LineDays
from collector.compliance.shares import exact
from collector.compliance.standing import Opinion
from collector.config import Figure as Settings

#: The second rule: at least 80% of the tests reach 80% of the threshold.
FCC80 = Fraction(8, 10)


def limit(settings: Settings) -> Fraction:
    """What the rule's statistic must reach, in Mbit/s."""
    share = FCC80 if settings.rule == "fcc80" else exact(settings.tolerance)
    return share * exact(settings.threshold_mbps)


def statistic(rates: Sequence[float], settings: Settings) -> float | None:
    """The order statistic that the rule compares, in Mbit/s; None without rates.

    p90: the ceil(0.9 n)-th smallest. fcc80: the (floor(0.2 n) + 1)-th smallest, which reaches
    the limit exactly when at least 80% of the rates do.
    """
    if settings.rule == "p90" or not rates:
        return percentile(rates)
    return sorted(rates)[len(rates) // 5]


def percentile(rates: Sequence[float]) -> float | None:
    """The 90th percentile: the ceil(0.9 n)-th smallest; None without rates."""
    return sorted(rates)[-(-9 * len(rates) // 10) - 1] if rates else None


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of one line's tests of some days."""

    quiet: tuple[float, ...]
    lesson: tuple[float, ...]
    quiet_days: int
    statistic: float | None  # of the quiet tests, or of all if lesson tests are needed
    joined: bool  # lesson tests are included: these can prove, but not deny
    enough: bool

    @property
    def median(self) -> float | None:
        """The median of the tests that the statistic is taken from."""
        rates = (*self.quiet, *self.lesson) if self.joined else self.quiet
        return statistics.median(rates) if rates else None


def read(line: LineDays, first: dt.date, last: dt.date, settings: Settings) -> Reading:
    """Read a line's valid tests of the days `first` to `last`."""
    return _read(line, bisect_left(line.days, first), bisect_right(line.days, last), settings)


def _read(line: LineDays, lo: int, hi: int, settings: Settings) -> Reading:
    rows = list(zip(line.days[lo:hi], line.rates[lo:hi], line.quiet[lo:hi], strict=True))
    quiet = tuple(rate for _, rate, is_quiet in rows if is_quiet)
    lesson = tuple(rate for _, rate, is_quiet in rows if not is_quiet)
    quiet_days = len({day for day, _, is_quiet in rows if is_quiet})
    if _enough(len(quiet), quiet_days, settings):
        return Reading(quiet, lesson, quiet_days, statistic(quiet, settings), False, True)
    joined = bool(lesson) and _enough(len(rows), len({row[0] for row in rows}), settings)
    rates = (*quiet, *lesson) if joined else quiet
    return Reading(quiet, lesson, quiet_days, statistic(rates, settings), joined, joined)


def _enough(tests: int, days: int, settings: Settings) -> bool:
    return tests >= settings.min_tests and days >= settings.min_test_days


def opinion(
    lines: Sequence[LineDays], first: dt.date, last: dt.date, settings: Settings
) -> Opinion | None:
    """The result of lines that count together (one, or a bonded campus) on these days.

    Yes: the sum over lines with enough tests reaches the limit. No: all have enough quiet tests,
    and their sum does not.
    """
    readings = [read(line, first, last, settings) for line in lines]
    tested = [(line, r) for line, r in zip(lines, readings, strict=True) if r.enough]
    reached = sum((exact(r.statistic) for _, r in tested if r.statistic is not None), Fraction())
    needed = limit(settings)
    if tested and reached >= needed:
        floors = [(line, min(exact(r.statistic or 0.0), needed)) for line, r in tested]
        days = [_newest(line, first, last, floor, above=True) for line, floor in floors]
        return Opinion(True, max(day for day in days if day))
    if len(tested) < len(lines) or any(r.joined for r in readings) or not lines:
        return None
    days = [_newest(line, first, last, needed, above=False) for line in lines]
    return Opinion(False, max(day for day in days if day))


def _newest(
    line: LineDays, first: dt.date, last: dt.date, floor: Fraction, *, above: bool
) -> dt.date | None:
    """The newest of these days with a test at or above the floor, or with a quiet one below it.

    Lesson tests never deny, so a low one must not make a no newer.
    """
    hi = bisect_right(line.days, last) - 1
    while hi >= 0 and line.days[hi] >= first:
        if (exact(line.rates[hi]) >= floor) == above and (above or line.quiet[hi]):
            return line.days[hi]
        hi -= 1
    return None

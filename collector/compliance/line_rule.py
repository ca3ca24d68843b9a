"""When a line meets the threshold T: the rule over its valid tests. Pure.

The 90th percentile, the ceil(0.9 n)-th smallest, of the valid quiet tests or of quiet and lesson
tests together must reach 0.97 T, given at least 10 such tests on 5 different days. The percentile
is high, as other traffic and slow PCs lower a test's rate but never raise it. Only quiet tests
deny: at least 10 on 5 days, with neither percentile reaching.

A test that its PC limits, or may have limited, counts only if it reaches what is asked: it proves
and never denies. Its low reading is refused as `pc_limited`.
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from operator import and_

from collector.compliance.lines import LineDays
from collector.compliance.shares import exact
from collector.compliance.standing import Opinion
from collector.config import Figure as Settings

#: The second rule: at least 80% of the quiet tests reach 80% of the threshold.
FCC80 = Fraction(8, 10)
#: A network card limits a test if its own rate is less than this times the threshold.
NIC_MARGIN = Fraction(11, 10)


def limit(settings: Settings) -> Fraction:
    """What the rule's statistic must reach, in Mbit/s."""
    share = FCC80 if settings.rule == "fcc80" else exact(settings.tolerance)
    return share * exact(settings.threshold_mbps)


def at_least(needed: Fraction) -> float:
    """The smallest double that reaches `needed` as it is written: 9.7 reaches 97/10."""
    number = float(needed)
    return number if exact(number) >= needed else math.nextafter(number, math.inf)


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
class Rule:
    """The rule for a number of lines that count together. Rates in Mbit/s."""

    settings: Settings
    needed: Fraction  # by all lines together
    floor: float  # a good reading of one of them reaches its equal part
    nic: float  # a network card below it limits

    @classmethod
    def of(cls, settings: Settings, lines: int = 1) -> Rule:
        """The rule of these settings."""
        needed = limit(settings)
        nic = NIC_MARGIN * exact(settings.threshold_mbps)
        return cls(settings, needed, at_least(needed / lines), at_least(nic))

    def can_deny(self, quiet: bool, pc_mbps: float) -> bool:
        """Whether a test counts for a no: quiet, and its PC was no limit."""
        return quiet and pc_mbps >= self.nic

    def enough(self, tests: Sequence[Test]) -> bool:
        """Whether so many tests, on so many days, may prove or deny."""
        settings = self.settings
        many = len(tests) >= settings.min_tests
        return many and len({test[0] for test in tests}) >= settings.min_test_days


Test = tuple[dt.date, float]
"""A test's day, and its rate in Mbit/s."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of one line's tests of some days."""

    quiet: tuple[float, ...]
    lesson: tuple[float, ...]
    quiet_days: int
    statistic: float | None  # the best that enough tests show; if they are few, of the quiet ones
    median: float | None  # of the tests that the statistic is taken from
    enough: bool  # to prove
    denies: bool  # enough quiet tests of PCs that were no limit
    limited: int  # tests that do not count, as their PC limits


def read(line: LineDays, first: dt.date, last: dt.date, rule: Rule) -> Reading:
    """Read a line's valid tests of the days `first` to `last`."""
    lo, hi = _places(line, first, last)
    quiet: list[Test] = []
    lesson: list[Test] = []
    held: list[Test] = []  # limited quiet tests that count all the same
    held_lesson: list[Test] = []
    limited = 0
    for n in range(lo, hi):
        rate, is_quiet = line.rates[n], line.quiet[n]
        if line.pc_mbps[n] >= rule.nic:
            (quiet if is_quiet else lesson).append((line.days[n], rate))
        elif rate >= rule.floor:
            (held if is_quiet else held_lesson).append((line.days[n], rate))
        else:
            limited += 1
    return _reading(rule, quiet, lesson, held, held_lesson, limited)


def _reading(
    rule: Rule,
    quiet: list[Test],
    lesson: list[Test],
    held: list[Test],
    held_lesson: list[Test],
    limited: int,
) -> Reading:
    every_quiet, every_lesson = quiet + held, lesson + held_lesson
    found = list(_proofs(rule, quiet, lesson, every_quiet, every_lesson))
    best = max((value for value, _ in found), default=None)
    rates = _rates(every_quiet)
    shown = rates
    if best is not None:
        # Of the sets that reach as far as is asked, the first: quiet tests before lesson tests.
        asked = min(best, rule.floor)
        shown = next(rates for value, rates in found if value >= asked)
    return Reading(
        tuple(rates),
        tuple(_rates(every_lesson)),
        len({day for day, _ in every_quiet}),
        statistic(rates, rule.settings) if best is None else best,
        statistics.median(shown) if shown else None,
        best is not None,
        rule.enough(quiet),
        limited,
    )


def _proofs(
    rule: Rule,
    quiet: list[Test],
    lesson: list[Test],
    every_quiet: list[Test],
    every_lesson: list[Test],
) -> Iterator[tuple[float, list[float]]]:
    """The sets of enough tests that may prove, each with its statistic.

    With the tests of limiting PCs and without: where they all reach their part of a bonded
    campus's sum, they may still lie below what the others show, and must not lower it.
    """
    sets = [every_quiet, quiet] if len(every_quiet) > len(quiet) else [quiet]
    if rule.settings.rule == "p90" and every_lesson:
        sets.append(every_quiet + every_lesson)
        if len(sets[-1]) > len(quiet) + len(lesson):
            sets.append(quiet + lesson)
    for tests in sets:
        if rule.enough(tests):
            rates = _rates(tests)
            value = statistic(rates, rule.settings)
            if value is not None:
                yield value, rates


def _rates(tests: Sequence[Test]) -> list[float]:
    return [rate for _, rate in tests]


def opinion(
    lines: Sequence[LineDays], first: dt.date, last: dt.date, settings: Settings
) -> Opinion | None:
    """The word of `Bundle` on some days."""
    return Bundle(lines, settings).opinion(first, last)


class Bundle:
    """Lines that count together: one, or a bonded campus."""

    def __init__(self, lines: Sequence[LineDays], settings: Settings) -> None:
        self._lines = lines
        self._rule = Rule.of(settings, len(lines) or 1)
        self._counts = [_Counts(line, self._rule) for line in lines]

    def opinion(self, first: dt.date, last: dt.date) -> Opinion | None:
        """The result of these days.

        Yes: the sum over lines with enough tests reaches the limit, dated by the last good reading.
        No: all have enough quiet tests, and their sum does not reach it.
        """
        if not self._may_say(first, last):
            return None
        rule, lines = self._rule, self._lines
        readings = [read(line, first, last, rule) for line in lines]
        shown = (r.statistic for r in readings if r.enough and r.statistic is not None)
        if sum(map(exact, shown), Fraction()) >= rule.needed:
            days = [_newest_good(line, first, last, rule) for line in lines]
            return Opinion(True, max(day for day in days if day))
        if not all(r.denies for r in readings):
            return None
        low = [_newest_low(line, first, last, rule) for line in lines]
        return Opinion(False, max(day for day in low if day))

    def _may_say(self, first: dt.date, last: dt.date) -> bool:
        """Whether these days can come to a word at all: counts alone tell it of most windows."""
        spans = [_places(line, first, last) for line in self._lines]
        counts = list(zip(self._counts, spans, strict=True))
        if any(count.may_prove(lo, hi, alone=len(counts) == 1) for count, (lo, hi) in counts):
            return True
        return bool(counts) and all(count.may_deny(lo, hi) for count, (lo, hi) in counts)


class _Counts:
    """How many tests of a line are good or low, for any stretch of them."""

    def __init__(self, line: LineDays, rule: Rule) -> None:
        good = [rate >= rule.floor for rate in line.rates]
        free = [pc >= rule.nic for pc in line.pc_mbps]
        low = [counts and not fine for counts, fine in zip(free, good, strict=True)]
        self._good, self._low = _sums(good), _sums(low)
        self._quiet_good = _sums(map(and_, good, line.quiet))
        self._quiet_low = _sums(map(and_, low, line.quiet))
        self._deny = _sums(map(and_, free, line.quiet))
        self._rule = rule

    def may_prove(self, lo: int, hi: int, *, alone: bool) -> bool:
        """Whether there are enough good tests; of a bonded line, whether there is any."""
        good = self._good[hi] - self._good[lo]
        if not good or not alone:
            return bool(good)
        quiet_good = self._quiet_good[hi] - self._quiet_good[lo]
        if self._reaches(quiet_good, self._quiet_low[hi] - self._quiet_low[lo]):
            return True
        return self._rule.settings.rule == "p90" and self._reaches(
            good, self._low[hi] - self._low[lo]
        )

    def may_deny(self, lo: int, hi: int) -> bool:
        """Whether there are enough tests that count for a no."""
        return self._deny[hi] - self._deny[lo] >= self._rule.settings.min_tests

    def _reaches(self, good: int, low: int) -> bool:
        """Whether the statistic of so many tests is a good one."""
        if good + low < self._rule.settings.min_tests:
            return False
        return 9 * good > low if self._rule.settings.rule == "p90" else good >= 4 * low


def _sums(flags: Iterable[bool]) -> list[int]:
    """How many of the first n are set, for each n."""
    return list(accumulate(flags, initial=0))


def _newest_good(line: LineDays, first: dt.date, last: dt.date, rule: Rule) -> dt.date | None:
    for n in _back(line, first, last):
        if line.rates[n] >= rule.floor:
            return line.days[n]
    return None


def _newest_low(line: LineDays, first: dt.date, last: dt.date, rule: Rule) -> dt.date | None:
    """The newest day with a test that denies: quiet, low, and its PC no limit."""
    low = at_least(rule.needed)
    for n in _back(line, first, last):
        if line.rates[n] < low and rule.can_deny(line.quiet[n], line.pc_mbps[n]):
            return line.days[n]
    return None


def _back(line: LineDays, first: dt.date, last: dt.date) -> Iterator[int]:
    """The places of these days' tests, newest first."""
    return reversed(range(*_places(line, first, last)))


def _places(line: LineDays, first: dt.date, last: dt.date) -> tuple[int, int]:
    """Where these days' tests begin and end."""
    return bisect_left(line.days, first), bisect_right(line.days, last)

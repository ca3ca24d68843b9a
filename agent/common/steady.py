"""The steady part of a transfer, from counters read while it ran. Pure.

A counter of bytes, read about ten times a second, gives one rate a step. The figure is the
median of the steps after the ramp: a stall, a burst or a late reading moves a mean and leaves
a median. A counter moves by whole frames, so a step on a slow line is made long enough to hold
a hundred of them: at 2 Mbit/s a tenth of a second holds 16 or 17, and a median of such steps
is 6% coarse. The interval is the distribution-free one of a median, by order statistics: its ends
are the values of rank n/2 ∓ 1.96·√n/2 (Conover, Practical Nonparametric Statistics, 3.2).
Steps of one transfer are not quite independent, so it is somewhat too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

Sample = tuple[float, int]  # seconds, bytes counted until then

#: Seconds a step lasts, unless the whole transfer is short.
STEP_S = 0.1
#: ... or it holds fewer bytes than this many full frames.
_STEP_BYTES = 100 * 1514
#: With fewer steps there is no result.
MIN_STEPS = 5
#: ... with a counter that is refreshed each second or two, whose every step is long.
MIN_REFRESHES = 2
#: The ramp ends at the first step that reaches this share of the later half's median.
_RAMP_SHARE = 0.9
#: It is over after the last step that reaches this share of the earlier half's median.
_DRAIN_SHARE = 0.8
#: More still steps than this share, and the counter itself is thought to be slow.
_STILL_SHARE = 0.2
#: Steps faster than the last third's median by this factor are a burst's.
_BURST = 1.2
_NORMAL_95 = 1.96
_MIN_OVERALL = 1_000_000
#: Readings closer than this are one, in s.
_TINY_S = 0.001


class Steady(NamedTuple):
    """A rate in Mbit/s with its 95% interval, and where it was found."""

    mbps: float
    low: float
    high: float
    start: float  # s, first reading of the steady part
    stop: float  # s, last reading of it
    bytes: int  # counted between the two
    steps: int
    slope: float  # Mbit/s, of the straight line through the readings

    @property
    def mean(self) -> float:
        """Mean rate over the steady part, in Mbit/s."""
        return self.bytes * 8 / (self.stop - self.start) / 1e6

    @property
    def middle(self) -> float:
        """The middle one of median, mean and slope, in Mbit/s.

        For payload, which arrives in bursts: each of the three is off by some percent.
        """
        return median((self.mbps, self.mean, self.slope))

    @property
    def spread(self) -> float:
        """Half the interval's width as a share of the rate."""
        return (self.high - self.low) / 2 / self.mbps if self.mbps > 0 else math.inf


def median(values: Sequence[float]) -> float:
    """The middle of `values`, of which there is at least one.

    The statistics module would cost a resident agent a megabyte.
    """
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


class Aligned(NamedTuple):
    """A counter's readings, and whether it is refreshed so rarely that they are its refreshes."""

    samples: Sequence[Sample]
    refreshes: bool = False


def aligned(samples: Sequence[Sample]) -> Aligned:
    """The readings up to the first that decreases; of a slow counter, only its refreshes.

    Some drivers refresh their counters twice a second, or every other second. A reading in
    between has the bytes of the last refresh and a later time, so that a step from one reading to
    another is too long or too short. Between two refreshes lies a true step; each was at some
    moment between two readings, in the middle on average.
    """
    forward = _until_decrease(samples)
    if not _often_still(_forward(_running(forward))):
        return Aligned(forward)
    moved = [((a[0] + b[0]) / 2, b[1]) for a, b in pairwise(forward) if b[1] > a[1]]
    return Aligned(moved, refreshes=True)


def steady(samples: Sequence[Sample]) -> Steady | None:
    """The steady part of a transfer; None where too little was transferred.

    `samples` are (seconds, bytes so far), rising in time; a counter that steps backwards
    (a driver restarted) ends the part before it.
    """
    return steady_of(aligned(samples))


def steady_of(counter: Aligned) -> Steady | None:
    """The steady part of a transfer, from readings that are already aligned.

    Refreshes are few, and their steps are of two lengths, as readings fall; a median would be one
    of the two. Their rate is the middle one of median, mean and slope.
    """
    points, fewest = _steps(counter), MIN_REFRESHES if counter.refreshes else MIN_STEPS
    rates = _rates(points)
    first = _ramp(rates, fewest)
    last = max(_drain(rates), first + fewest)
    kept, rates = points[first : last + 1], rates[first:last]
    if len(rates) < fewest:
        return None
    low, high = _interval(sorted(rates))
    (start, before), (stop, after) = kept[0], kept[-1]
    found = Steady(median(rates), low, high, start, stop, after - before, len(rates), _slope(kept))
    return found._replace(mbps=found.middle) if counter.refreshes else found


def _steps(counter: Aligned) -> list[Sample]:
    return list(counter.samples) if counter.refreshes else _forward(_running(counter.samples))


def after_burst(counter: Aligned) -> Aligned:
    """The part after a drop of the rate that lasts to the end; all where there is none.

    A provider's burst bucket lets the first megabytes pass at more than the line's rate. It
    shows as a block of fast steps, then slow ones only; a line that merely wavers has no such
    blocks.
    """
    points = _steps(counter)
    rates = _rates(points)
    if len(rates) < 2 * MIN_STEPS:
        return counter
    bar = _BURST * median(rates[-len(rates) // 3 :])
    fast = [i for i, rate in enumerate(rates) if rate > bar]
    # The first step is the ramp's, and the last fast one may be half fast.
    whole = bool(fast) and len(fast) >= max(3, 0.8 * fast[-1])
    if not whole or len(rates) - fast[-1] < MIN_STEPS + 2:
        return counter
    begin = points[fast[-1] + 2][0]
    return counter._replace(samples=[one for one in counter.samples if one[0] >= begin])


def later_half(counter: Aligned) -> Aligned:
    """The second half of a transfer: over a long way its connections come up only slowly."""
    moving = _running(counter.samples)
    middle = (moving[0][0] + moving[-1][0]) / 2 if moving else 0.0
    return counter._replace(samples=[one for one in counter.samples if one[0] >= middle])


def confirmed(samples: Sequence[Sample]) -> float | None:
    """The most that a transfer confirms, in Mbit/s: of the whole, or of its second half.

    Over a long way the first half is a ramp. None where too little was transferred.
    """
    counter = aligned(samples)
    found = [steady_of(one) for one in (counter, later_half(counter))]
    return max((one.mbps for one in found if one is not None), default=overall(samples))


def overall(samples: Sequence[Sample]) -> float | None:
    """The mean rate in Mbit/s of a transfer too short to have a steady part.

    Only for a megabyte or more: then the line is so fast that too few readings fell into the
    transfer. It includes the ramp, so it is low rather than high.
    """
    moving = list(_running(samples))
    while len(moving) > 1 and moving[1][1] == moving[0][1]:
        del moving[0]
    if not moving:
        return None
    seconds, count = moving[-1][0] - moving[0][0], moving[-1][1] - moving[0][1]
    return count * 8 / seconds / 1e6 if count >= _MIN_OVERALL and seconds >= _TINY_S else None


def _running(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Without the readings after the last byte."""
    last = len(samples)
    while last > 1 and samples[last - 1][1] == samples[last - 2][1]:
        last -= 1
    return samples[:last]


def _forward(samples: Sequence[Sample]) -> list[Sample]:
    """Readings at least a step apart."""
    if len(samples) < 2:
        return list(samples)
    seconds, count = samples[-1][0] - samples[0][0], samples[-1][1] - samples[0][1]
    coarse = _STEP_BYTES / count * seconds if count > 0 else STEP_S
    # A short transfer (a fast line, a small limit) is cut finer, down to what was read.
    step = min(max(STEP_S, coarse), seconds / 12) * 0.9
    kept = [samples[0]]
    for sample in samples[1:]:
        if sample[0] - kept[-1][0] >= max(step, _TINY_S):
            kept.append(sample)
    return kept


def _until_decrease(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Of two readings at one moment the later counts: a clock may stand between them."""
    found = list(samples[:1])
    for time, count in samples[1:]:
        if count < found[-1][1]:
            break
        if time > found[-1][0]:
            found.append((time, count))
        else:
            found[-1] = found[-1][0], count
    return found


def _often_still(points: Sequence[Sample]) -> bool:
    """Whether the counter often stands still from one step to the next."""
    later = points[len(points) // 4 :]
    still = sum(b[1] == a[1] for a, b in pairwise(later))
    return still > _STILL_SHARE * len(later)


def _rates(points: Sequence[Sample]) -> list[float]:
    return [(b[1] - a[1]) * 8 / (b[0] - a[0]) / 1e6 for a, b in pairwise(points)]


def _ramp(rates: Sequence[float], fewest: int) -> int:
    """Index of the first step after the ramp."""
    if not rates:
        return 0
    goal = _RAMP_SHARE * median(rates[len(rates) // 2 :])
    reached = next((i for i, rate in enumerate(rates) if rate >= goal), 0)
    return min(reached + 1, max(0, len(rates) - fewest))


def _drain(rates: Sequence[float]) -> int:
    """How many steps there are before the connections drain at the end of the transfer."""
    if not rates:
        return 0
    goal = _DRAIN_SHARE * median(rates[: len(rates) // 2 + 1])
    return next((i for i in range(len(rates), 0, -1) if rates[i - 1] >= goal), 0)


def _slope(points: Sequence[Sample]) -> float:
    """Least squares: bytes that an application sees wait for gaps to be filled, so their
    counter strays around a line, and a line is known better by all its points than by two."""
    middle_t = sum(t for t, _ in points) / len(points)
    middle_b = sum(count for _, count in points) / len(points)
    both = sum((t - middle_t) * (count - middle_b) for t, count in points)
    return both / sum((t - middle_t) ** 2 for t, _ in points) * 8 / 1e6


def _interval(ordered: Sequence[float]) -> tuple[float, float]:
    n = len(ordered)
    rank = max(0, math.floor(n / 2 - _NORMAL_95 * math.sqrt(n) / 2))
    return ordered[rank], ordered[n - 1 - rank]

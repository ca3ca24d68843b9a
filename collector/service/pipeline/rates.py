"""Allowances of reports and bytes by school: what is saved up, and what is left of it. Pure.

Each school has two: one for minutes, so that no other school waits, and one that lasts, so that
what a credential brings into the store within months is bounded too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from collector.roster.limits import LASTING_SAVED, SAVED, Limits, for_minutes, lasting

#: By school code; None for a school that the register lacks.
LimitsOf = Callable[[str], Limits | None]
_FREE = -1e9  # of a bucket that was never used: full


class Left(NamedTuple):
    """What a school has left of the lasting allowance."""

    at: float  # s since 1970
    reports: float
    kb: float


class _Bucket:
    __slots__ = ("at", "kb", "reports")

    def __init__(self) -> None:
        self.at = _FREE
        self.reports = self.kb = 0.0


class Rates:
    """For one thread. Each collector of a group has its own, so a group takes more."""

    def __init__(self, limits_of: LimitsOf) -> None:
        self._lasting = Rate(limits_of, lasting, LASTING_SAVED)
        self._minutes = Rate(limits_of, for_minutes, SAVED)

    def take(self, school: str, size: int, now: float) -> bool:
        """Whether a message of `size` bytes is within both allowances, which it then uses.

        `now` in s on the monotonic clock. Schools that the register lacks are not counted: their
        reports are held anyhow.
        """
        return self._minutes.take(school, size, now) and self._lasting.take(school, size, now)

    def left(self, now: float, clock: float) -> dict[str, Left]:
        """Of the schools that used their lasting allowance; `clock` is `now` in s since 1970.

        For the thread of `take`.
        """
        return self._lasting.left(now, clock)

    def restore(self, left: Mapping[str, Left], now: float, clock: float) -> None:
        """Go on from there. What a clock that was set back meanwhile did not see adds nothing."""
        self._lasting.restore(left, now, clock)


class Rate:
    """One allowance: `a_minute` of the limits, reports and kB, of which `saved` minutes add up."""

    def __init__(
        self, limits_of: LimitsOf, a_minute: Callable[[Limits], tuple[float, float]], saved: float
    ) -> None:
        self._limits_of, self._a_minute, self._saved = limits_of, a_minute, saved
        self._buckets: dict[str, _Bucket] = {}

    def take(self, school: str, size: int, now: float) -> bool:
        """As `Rates.take`, of this allowance alone."""
        bucket, kb = self._buckets.get(school), size / 1024
        # What was added since is looked at when it is needed: nearly never.
        if bucket is None or bucket.reports < 1 or bucket.kb < kb:
            limits = self._limits_of(school)
            if limits is None:
                return True
            bucket = self._filled(school, limits, now)
            if bucket.reports < 1 or bucket.kb < kb:
                return False
        bucket.reports -= 1
        bucket.kb -= kb
        return True

    def _filled(self, school: str, limits: Limits, now: float) -> _Bucket:
        bucket = self._buckets.setdefault(school, _Bucket())
        minutes, bucket.at = min((now - bucket.at) / 60, self._saved), now
        reports, kb = self._a_minute(limits)
        bucket.reports = min(bucket.reports + minutes * reports, self._saved * reports)
        bucket.kb = min(bucket.kb + minutes * kb, self._saved * kb)
        return bucket

    def left(self, now: float, clock: float) -> dict[str, Left]:
        """As `Rates.left`, of this allowance."""
        found = {}
        for school in list(self._buckets):
            limits = self._limits_of(school)
            if limits is not None:
                # Now, as nothing is certain of the time that passes while nobody runs.
                bucket = self._filled(school, limits, now)
                found[school] = Left(clock, bucket.reports, bucket.kb)
        return found

    def restore(self, left: Mapping[str, Left], now: float, clock: float) -> None:
        """As `Rates.restore`, of this allowance."""
        for school, (at, reports, kb) in left.items():
            bucket = self._buckets[school] = _Bucket()
            bucket.at = now - max(0.0, clock - at)
            bucket.reports, bucket.kb = max(0.0, reports), max(0.0, kb)

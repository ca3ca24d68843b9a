"""Allowances of reports and bytes by school: what is saved up, and what is left of it. Pure."""

from __future__ import annotations

from collections.abc import Callable

from collector.roster.limits import SAVED, Limits

#: By school code; None for a school that the register lacks.
LimitsOf = Callable[[str], Limits | None]
_FREE = -1e9  # of a bucket that was never used: full


class _Bucket:
    __slots__ = ("at", "kb", "reports")

    def __init__(self) -> None:
        self.at = _FREE
        self.reports = self.kb = 0.0


class Rates:
    """For one thread. Each collector of a group has its own, so a group takes more."""

    def __init__(self, limits_of: LimitsOf) -> None:
        self._limits_of = limits_of
        self._buckets: dict[str, _Bucket] = {}

    def take(self, school: str, size: int, now: float) -> bool:
        """Whether a message of `size` bytes is within the allowance, which it then uses.

        `now` in s on the monotonic clock. Schools that the register lacks are not counted: their
        reports are held anyhow.
        """
        limits = self._limits_of(school)
        if limits is None:
            return True
        bucket = self._buckets.get(school)
        if bucket is None:
            bucket = self._buckets[school] = _Bucket()
        minutes = min((now - bucket.at) / 60, SAVED)
        bucket.at = now
        bucket.reports = min(
            bucket.reports + minutes * limits.max_reports, SAVED * limits.max_reports
        )
        bucket.kb = min(bucket.kb + minutes * limits.max_kb, SAVED * limits.max_kb)
        if bucket.reports < 1 or bucket.kb < size / 1024:
            return False
        bucket.reports -= 1
        bucket.kb -= size / 1024
        return True

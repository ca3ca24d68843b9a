"""Corrected time: the collector's clock, continued by the PC's monotonic clock.

A school PC's own clock may be years off. A receipt echoes the `sent` of a message beside the
collector's `now`, which is taken to be half the round trip old on arrival (Cristian's algorithm).
From there the time is counted by a monotonic clock that continues while the PC sleeps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

#: Echoes slower than this were queued somewhere: the error is up to half the round trip, ms.
MAX_ROUND_TRIP = 20_000
#: Assumed drift of a PC's clock, as a share: 1 s in 83 minutes, a bad crystal.
_DRIFT = 200e-6
#: Marks kept at most; the outbox's window is far smaller.
_MAX_MARKS = 256


def elapsed_ms() -> int:
    """Milliseconds on a monotonic clock that counts suspend, from an arbitrary start."""
    # CLOCK_BOOTTIME is Linux's; elsewhere time.monotonic counts suspend if the system can.
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    if boottime is None:
        return time.monotonic_ns() // 1_000_000
    return time.clock_gettime_ns(boottime) // 1_000_000


def wall_ms() -> int:
    """The PC's own clock, in ms since 1970 UTC; may be years off."""
    return time.time_ns() // 1_000_000


class _Anchor(NamedTuple):
    """The time was `time` ± `error` when the monotonic clock read `elapsed`; all in ms."""

    elapsed: int
    time: int
    error: float

    def at(self, elapsed: int) -> int:
        return self.time + elapsed - self.elapsed

    def error_at(self, elapsed: int) -> float:
        return self.error + (elapsed - self.elapsed) * _DRIFT


class Clock:
    """The corrected time of one agent. Safe to use from several threads."""

    def __init__(
        self, wall: Callable[[], int] = wall_ms, elapsed: Callable[[], int] = elapsed_ms
    ) -> None:
        """`wall` and `elapsed` return milliseconds; tests pass their own."""
        self.wall = wall
        self.elapsed = elapsed
        self._lock = threading.Lock()
        self._marks: dict[int, int] = {}  # `sent` as written in the message -> elapsed
        self._anchor: _Anchor | None = None

    @property
    def known(self) -> bool:
        """Whether the time is known, that is an echo has arrived."""
        return self._anchor is not None

    def now(self) -> int | None:
        """The corrected time in ms, None before the first echo."""
        return self.at(self.elapsed())

    def at(self, elapsed: int) -> int | None:
        """The corrected time at `elapsed` ms of the monotonic clock, in ms; None where unknown."""
        anchor = self._anchor
        return None if anchor is None else anchor.at(elapsed)

    def offset(self) -> int | None:
        """Corrected time minus the PC's own clock, in ms; None where unknown."""
        now = self.now()
        return None if now is None else now - self.wall()

    def mark(self) -> int:
        """The `sent` for a message that is sent now; its echo may set the clock."""
        with self._lock:
            sent = self.wall()
            while sent in self._marks:  # unique even if the PC's clock was set back
                sent += 1
            self._marks[sent] = self.elapsed()
            while len(self._marks) > _MAX_MARKS:
                del self._marks[next(iter(self._marks))]
        return sent

    def forget(self, sent: int) -> None:
        """The message was resent: an echo no longer tells which sending it answers."""
        with self._lock:
            self._marks.pop(sent, None)

    def on_echo(self, echo: int, now: int) -> bool:
        """Set the clock by the collector's `now`, in answer to the message marked `echo`.

        Returns whether the clock was set; not where `echo` is unknown or too slow, nor where
        the present time is more accurate.
        """
        arrived = self.elapsed()
        with self._lock:
            left = self._marks.pop(echo, None)
            if left is None or arrived - left > MAX_ROUND_TRIP:
                return False
            half = (arrived - left) / 2
            found = _Anchor(arrived, now + round(half), half)
            if not self._better(found):
                return False
            self._anchor = found
            return True

    def _better(self, found: _Anchor) -> bool:
        """Whether it is more accurate than the present anchor, or the collector's clock was set."""
        anchor = self._anchor
        if anchor is None:
            return True
        error = anchor.error_at(found.elapsed)
        apart = abs(anchor.at(found.elapsed) - found.time)
        return found.error <= error or apart > error + found.error

"""Corrected time: the collector's clock, carried on by a clock that nobody sets.

A school PC's own clock may be years off. The echo of a sending tells when the collector's
`now` was: half the round trip before it arrived (Cristian's algorithm). From there on a
monotonic clock counts, one that goes on while the PC sleeps.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

#: A slower echo stood in a queue somewhere: it may be off by half its time. ms.
MAX_ROUND_TRIP = 20_000
#: How fast a PC's crystal may drift, as a share. 1 s in 83 minutes is a bad one.
_DRIFT = 200e-6
#: Sendings that wait for an echo; the window under way is far smaller.
_MAX_MARKS = 256


def elapsed_ms() -> int:
    """Milliseconds on a monotonic clock that counts suspend, from an arbitrary start."""
    # CLOCK_BOOTTIME is Linux's; time.monotonic on Windows and macOS counts sleep (or cannot).
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    if boottime is None:
        return time.monotonic_ns() // 1_000_000
    return time.clock_gettime_ns(boottime) // 1_000_000


def wall_ms() -> int:
    """The PC's own clock, in ms since 1970 UTC; may be years off."""
    return time.time_ns() // 1_000_000


class _Anchor(NamedTuple):
    """At `elapsed` it was `time`, give or take `error`; all in ms."""

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
        """`wall` and `elapsed` give milliseconds; tests put their own in."""
        self.wall = wall
        self.elapsed = elapsed
        self._lock = threading.Lock()
        self._marks: dict[int, int] = {}  # `sent` as written in the message -> elapsed
        self._anchor: _Anchor | None = None

    @property
    def known(self) -> bool:
        """Whether an echo has told the time yet."""
        return self._anchor is not None

    def now(self) -> int | None:
        """The corrected time in ms, None before the first echo."""
        return self.at(self.elapsed())

    def at(self, elapsed: int) -> int | None:
        """The corrected time of an instant of `elapsed`, in ms."""
        anchor = self._anchor
        return None if anchor is None else anchor.at(elapsed)

    def offset(self) -> int | None:
        """Corrected time minus the PC's own clock, in ms."""
        now = self.now()
        return None if now is None else now - self.wall()

    def mark(self) -> int:
        """The `sent` of a message that leaves now; its echo may move the offset."""
        with self._lock:
            sent = self.wall()
            while sent in self._marks:  # a clock set back must not give one `sent` twice
                sent += 1
            self._marks[sent] = self.elapsed()
            while len(self._marks) > _MAX_MARKS:
                del self._marks[next(iter(self._marks))]
        return sent

    def forget(self, sent: int) -> None:
        """The message was sent again: nobody can tell which sending an echo answers."""
        with self._lock:
            self._marks.pop(sent, None)

    def hear(self, echo: int, now: int) -> bool:
        """Take the collector's `now`, answering the message marked `echo`.

        Returns whether the offset was moved. An echo of nothing marked moves nothing.
        """
        arrived = self.elapsed()
        with self._lock:
            left = self._marks.pop(echo, None)
            if left is None or arrived - left > MAX_ROUND_TRIP:
                return False
            half = (arrived - left) / 2
            heard = _Anchor(arrived, now + round(half), half)
            if not self._better(heard):
                return False
            self._anchor = heard
            return True

    def _better(self, heard: _Anchor) -> bool:
        """Whether it is surer than what we have, or shows that the collector's clock moved."""
        anchor = self._anchor
        if anchor is None:
            return True
        have = anchor.error_at(heard.elapsed)
        apart = abs(anchor.at(heard.elapsed) - heard.time)
        return heard.error <= have or apart > have + heard.error

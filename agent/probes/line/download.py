"""What this PC sees of a download: its interface's counter, and how busy its processors are.

A PC that is busy with other work, or too slow for the line, receives less than the line brings.
Its test can prove the line, and denies nothing. It is taken to be the limit where, in a quarter of
the time, all its cores are busy, the test's own process fills one core, or the server has to wait
for room in its receive windows: programs that "tune" Windows keep these at 64 kB, which is 50
Mbit/s at 80 ms.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import psutil

from agent.common.steady import Sample
from agent.probes.line import nics

_SAMPLE_S = 0.1
#: In the first second, as a fast line may use up its bytes in it; and with a counter that is
#: refreshed rarely, to learn when.
_FINE_SAMPLE_S, _SLOW_SAMPLE_S = 0.01, 0.02
_STILL_S = 0.25
#: A fast line may have used up its bytes in the first second: short windows show which part of it.
_WINDOW_S, _FINE_WINDOW_S = 0.5, 0.1
_BUSY, _PART = 0.85, 0.25


class Effort(NamedTuple):
    """What the download cost this PC; shares from 0 to 1."""

    limited: bool
    pc_busy: float  # of all cores, whoever used them
    test_core: float  # of one core, by the test's processes


class _Times(NamedTuple):
    at: float
    busy: float
    total: float
    test: float


class Download:
    """One download, from `begin` to its last sample.

    Attributes:
        samples: The interface's counter, (s, bytes), up to a step back.
        restarted: Whether the counter stepped back: it wrapped, or its driver restarted.
        lost: Whether the counter, which was there, cannot be read any more.
    """

    def __init__(self, child: int) -> None:
        self.samples: list[Sample] = []
        self.restarted = self.lost = self._often_still = False
        self._started = self._moved = 0.0
        self._looks: list[float] = []
        self._counter = ""
        self._processes = [psutil.Process()]
        with contextlib.suppress(psutil.NoSuchProcess):  # it has failed, which its pipe says
            self._processes.append(psutil.Process(child))
        self._times: list[_Times] = []

    def begin(self, interface: str) -> None:
        """The download begins now, over this interface; empty where none is known."""
        self._started = self._moved = time.perf_counter()
        self._counter = nics.counted_on(interface) if interface else ""
        self._times = [self._read_times()]

    def pause(self) -> float:
        """Seconds until the next sample is due."""
        if time.perf_counter() - self._started < 1:
            return _FINE_SAMPLE_S
        return _SLOW_SAMPLE_S if self._often_still else _SAMPLE_S

    def sample(self) -> None:
        """Read the counter, and the processors at the end of each window."""
        counted = nics.received(self._counter) if self._counter and not self.restarted else None
        self._looks.append(now := time.perf_counter())
        gone = counted is None and bool(self.samples) and not self.restarted
        self.lost = gone and now - self.samples[-1][0] >= _STILL_S
        if counted is not None:
            self._add(now, counted)
        if now - self._times[-1].at >= (_FINE_WINDOW_S if now - self._started < 1 else _WINDOW_S):
            self._times.append(self._read_times())

    def end(self) -> None:
        """It is over, as we hear: a PC that was too busy to look was busy since the last look."""
        if time.perf_counter() - self._times[-1].at >= _WINDOW_S:
            self._times.append(self._read_times())

    def _add(self, now: float, counted: int) -> None:
        before = self.samples[-1][1] if self.samples else -1
        self.restarted = counted < before
        if self.restarted:
            return
        self._moved = self._moved if counted == before else now
        self._often_still |= now - self._moved > _STILL_S
        self.samples.append((now, counted))

    @property
    def moved(self) -> bool:
        """Whether the counter was seen to move."""
        return len({count for _, count in self.samples}) > 1

    @property
    def still(self) -> bool:
        """Whether the counter never moved, or could not be read, while it was looked at.

        A busy PC may look only before anything came, or after all had: a quarter of a second of
        that says nothing of the counter.
        """
        return not self.moved and bool(self._looks) and self._looks[-1] - self._moved >= _STILL_S

    def looked_away(self, payload: Sequence[Sample]) -> bool:
        """Whether nobody looked for half of the time in which the payload came, or longer.

        `payload`: how much had come when, (s, bytes), as the child says; what it says late is in
        time. Whatever held this PC up, it does not know what its interface did then.
        """
        if not payload:
            return False
        last = next(at for at, count in payload if count == payload[-1][1])
        times = [self._started, *(at for at in self._looks if at < last), last]
        longest = max(b - a for a, b in pairwise(times))
        return last <= self._started or longest >= (last - self._started) / 2

    def effort(self, window_share: float | None = None) -> Effort:
        """What it cost so far; call it at its end, with what the server knows of the windows."""
        if len(self._times) == 1:
            self._times.append(self._read_times())
        windows = list(pairwise(self._times))
        full = sum(b.at - a.at for a, b in windows if max(_shares(a, b)) >= _BUSY)
        pc, test = _shares(self._times[0], self._times[-1])
        limited = full >= _PART * (self._times[-1].at - self._times[0].at)
        return Effort(limited or (window_share or 0.0) >= _PART, pc, test)

    def _read_times(self) -> _Times:
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        test = sum(map(_used, self._processes))
        return _Times(time.perf_counter(), total - idle, total, test)


def _used(process: psutil.Process) -> float:
    """Processor seconds of a process; 0 once it has ended."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _shares(a: _Times, b: _Times) -> tuple[float, float]:
    """The share of all cores that was busy between the two, and of one core that the test used."""
    pc = (b.busy - a.busy) / (b.total - a.total) if b.total > a.total else 0.0
    test = (b.test - a.test) / (b.at - a.at) if b.at > a.at else 0.0
    return min(1.0, max(0.0, pc)), max(0.0, test)

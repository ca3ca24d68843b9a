"""The tests that run now: granted, sampled, closed or expired, each ending in one record."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.wire import LineRecord
from collector.lineserver.running import Ending, Running
from collector.lineserver.turns import Busy, Turns, Wish

log = logging.getLogger(__name__)

_TICK_S = 0.1
_FINE_TICK_S = 0.005  # while a test is young: a fast line is through in a few of them


@dataclass
class Counts:
    """What the server has done since its start."""

    granted: int = 0
    busy: int = 0
    ok: int = 0
    abandoned: int = 0
    expired: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    failed_records: int = 0


class Ledger:
    """Grants, samples and ends tests. Safe to use from several threads."""

    def __init__(
        self,
        on_record: Callable[[LineRecord], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts = Counts()
        self._on_record = on_record
        self._clock = clock
        self._turns = Turns()
        self._running: dict[str, Running] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._sampler = threading.Thread(target=self._sample, name="line-sampler", daemon=True)

    def start(self) -> None:
        """Begin to sample."""
        self._sampler.start()

    def stop(self) -> None:
        """End every test that runs as abandoned, and stop sampling."""
        self._stopping = True
        self._wake.set()
        self._sampler.join()
        for running in self._all():
            self._end(running, "abandoned")

    def ask(self, wish: Wish) -> Running | Busy:
        """Grant a test, or say that the line is busy."""
        with self._lock:
            answer = self._turns.ask(wish, self._clock())
            if isinstance(answer, Busy):
                self.counts.busy += 1
                return answer
            running = Running(answer, self._clock)
            for other in self._running.values():
                if other.turn.line == answer.line:  # expired, and not yet cut
                    other.solo = running.solo = False
            self._running[answer.id] = running
            self.counts.granted += 1
        self._wake.set()
        return running

    def find(self, test: str) -> Running | None:
        """The test of this id while it runs."""
        with self._lock:
            return self._running.get(test)

    def close(self, running: Running, outcome: Ending) -> LineRecord | None:
        """End a test as its agent says; None where it had ended before."""
        return self._end(running, outcome)

    def _sample(self) -> None:
        while not self._stopping:
            tests = self._all()
            if not tests:
                self._wake.clear()
                if not self._all():  # none was granted before the clearing
                    self._wake.wait()
                continue
            for running in tests:
                self._look_at(running)
            self._pause(any(running.young for running in tests))

    def _look_at(self, running: Running) -> None:
        now = self._clock()
        try:
            running.sample(now)
            if now >= running.turn.until:
                self._end(running, "expired")
        except Exception:  # one test's trouble must not end the sampling of all others
            log.exception("line_sample_failed", extra={"test": running.turn.id})

    def _pause(self, fine: bool) -> None:
        time.sleep(_FINE_TICK_S if fine else _TICK_S)  # a beat: nothing is waited for

    def _all(self) -> list[Running]:
        with self._lock:
            return list(self._running.values())

    def _end(self, running: Running, outcome: Ending) -> LineRecord | None:
        with self._lock:
            if self._running.pop(running.turn.id, None) is None:
                return None
            self._turns.close(running.turn)
        running.cut()
        record = running.record(outcome, self._clock())
        self._count(record)
        try:
            self._on_record(record)
        except Exception:  # a full disk must not take the measurement server down
            log.exception("line_record_failed", extra={"test": record.test})
            self.counts.failed_records += 1
        return record

    def _count(self, record: LineRecord) -> None:
        with self._lock:
            counts = self.counts
            setattr(counts, record.outcome, getattr(counts, record.outcome) + 1)
            counts.sent_bytes += record.sent_bytes
            counts.received_bytes += record.received_bytes

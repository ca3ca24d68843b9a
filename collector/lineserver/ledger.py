"""The running tests: grants, samples and ends them; each test gives one record."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from agent.common import log
from agent.wire import LineRecord
from collector.lineserver.book import TurnBook
from collector.lineserver.running import Running
from collector.lineserver.turns import Ending, Later, Limits, LimitsOf, Turn, Turns, Wish

_TICK_S = 0.1
_FINE_TICK_S = 0.005  # at the start of a test, which a fast line ends in a few ticks


@dataclass
class Counts:
    """What the server has done since its start."""

    granted: int = 0
    busy: int = 0
    enough: int = 0
    full: int = 0
    later: int = 0
    unsigned: int = 0
    ok: int = 0
    abandoned: int = 0
    expired: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    failed_records: int = 0


#: If a grant cannot be stored, the agent asks again after this time, s.
_DISK_S = 60
_SETTLE_S = 2.0  # for a busy machine's threads to count what they have sent


def epoch_clock() -> Callable[[], float]:
    """A clock in s since 1970 UTC: the system's time at the start, then monotonic."""
    start = time.time() - time.monotonic()
    return lambda: start + time.monotonic()


class Ledger:
    """Grants, samples and ends tests. Safe to use from several threads."""

    def __init__(
        self,
        on_record: Callable[[LineRecord], None],
        book: TurnBook | None = None,
        limits: LimitsOf = lambda _: Limits(),
        clock: Callable[[], float] | None = None,
    ) -> None:
        """`book` keeps the turns across restarts; `clock` returns s since 1970 UTC."""
        self.counts = Counts()
        self.refusals: Counter[tuple[str, str]] = Counter()  # by reason and school
        self._on_record = on_record
        self._clock = clock or epoch_clock()
        self._book = book
        past = book.past(self._clock()) if book else []
        self._lost = [kept.turn for kept in past if kept.outcome is None]
        self._turns = Turns(limits, past)
        self._running: dict[str, Running] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._sampler = threading.Thread(target=self._sample, name="line-sampler", daemon=True)

    def start(self) -> None:
        """Begin to sample; publish records of tests during which the server last stopped."""
        self._sampler.start()
        for turn in self._lost:
            self._keep_end(turn, "expired", 0)
            self._publish(Running(turn, self._clock).record("expired", turn.until))
        self._lost = []

    def stop(self) -> None:
        """Stop sampling, and end running tests as abandoned."""
        self._stopping = True
        self._wake.set()
        self._sampler.join()
        for running in self._all():
            self._end(running, "abandoned")

    def ask(self, wish: Wish) -> Running | Later:
        """Grant a test, or answer when to ask again."""
        with self._lock:
            answer = self._granted(wish)
            if isinstance(answer, Later):
                if (known := getattr(self.counts, answer.answer, None)) is not None:
                    setattr(self.counts, answer.answer, known + 1)
                return answer
            running = Running(answer, self._clock)
            for other in self._running.values():
                if other.turn.line == answer.line:  # expired, but not ended yet
                    other.solo = running.solo = False
            self._running[answer.id] = running
            self.counts.granted += 1
        self._wake.set()
        return running

    def _granted(self, wish: Wish) -> Turn | Later:
        """A turn that is stored on disk, or when to ask again."""
        answer = self._turns.ask(wish, self._clock())
        if isinstance(answer, Later) or self._book is None:
            return answer
        try:
            self._book.granted(answer)
        except sqlite3.Error as error:  # not granted, as a restart would forget it
            log.error("turn_not_kept", reason=error)
            self._turns.withdraw(answer)
            return Later("full", _DISK_S)
        return answer

    def find(self, test: str) -> Running | None:
        """The running test of this id. Waits for no lock: a grant holds it until it is on disk."""
        return self._running.get(test)

    def refused(self, why: str, school: str) -> None:
        """Count a refusal; `school` is empty where nobody has shown its key."""
        with self._lock:
            self.refusals[why, school] += 1

    def schools(self) -> set[str]:
        """The schools whose tests run."""
        return {running.turn.wish.school for running in self._all()}

    def is_testing(self, address: str) -> bool:
        """Whether a test from this `addresses.group` runs."""
        return any(running.is_from(address) for running in self._all())

    def revoke(self, school: str) -> None:
        """End a school's tests: its key has gone."""
        for running in self._all():
            if running.turn.wish.school == school and self._end(running, "abandoned"):
                log.warning("key_gone", school=school, test=running.turn.id)
                self.refused("key_gone", school)

    def close(self, running: Running, outcome: Ending) -> LineRecord | None:
        """End a test with the outcome that its agent reports; None if it has ended already."""
        running.cut()
        running.settle(_SETTLE_S)
        return self._end(running, outcome)

    def _sample(self) -> None:
        while not self._stopping:
            tests = self._all()
            if not tests:
                self._wake.clear()
                if not self._all():  # none was granted before the event was cleared
                    self._wake.wait()
                continue
            for running in tests:
                self._sample_one(running)
            self._pause(any(running.just_started for running in tests))

    def _sample_one(self, running: Running) -> None:
        now = self._clock()
        try:
            running.sample()
            if now >= running.turn.until or running.is_spent:
                self._end(running, "expired")
        except Exception as error:  # must not stop the sampling of the others
            test, at = running.turn.id, log.where(error)
            log.error("line_sample_failed", test=test, reason=error, at=at)

    def _pause(self, fine: bool) -> None:
        # The sampling interval: there is no event to wait for.
        time.sleep(_FINE_TICK_S if fine else _TICK_S)

    @property
    def running(self) -> int:
        """How many tests run now."""
        return len(self._running)

    def _all(self) -> list[Running]:
        with self._lock:
            return list(self._running.values())

    def _end(self, running: Running, outcome: Ending) -> LineRecord | None:
        with self._lock:
            if self._running.pop(running.turn.id, None) is None:
                return None
            running.cut()
            count = running.sent + running.received
            self._turns.close(running.turn, outcome, count)
        record = running.record(outcome, self._clock())
        self._keep_end(running.turn, outcome, count)
        self._count(record)
        self._publish(record)
        return record

    def _keep_end(self, turn: Turn, outcome: Ending, count: int) -> None:
        try:
            if self._book is not None:
                self._book.ended(turn, outcome, count, self._clock())
        except sqlite3.Error as error:  # after a restart it counts as failed
            log.error("turn_end_not_kept", reason=error)

    def _publish(self, record: LineRecord) -> None:
        try:
            self._on_record(record)
        except Exception as error:  # a full disk must not stop the measurement server
            log.error("line_record_failed", test=record.test, reason=error, at=log.where(error))
            self.counts.failed_records += 1

    def _count(self, record: LineRecord) -> None:
        with self._lock:
            counts = self.counts
            setattr(counts, record.outcome, getattr(counts, record.outcome) + 1)
            counts.sent_bytes += record.sent_bytes
            counts.received_bytes += record.received_bytes

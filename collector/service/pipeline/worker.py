"""Messages in batches, from the inbox to their receipts.

inbox ──▶ sorter ──batches──▶ storers ──▶ store, then receipts

One thread sorts and two store: while the store writes one batch, the lines of the next are
formatted and a third is decoded. Making a batch takes longer than writing it: more storers would
hold more in memory and store nothing sooner.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence

from agent.common import log
from collector.service.pipeline.inbox import Inbox, Message
from collector.service.pipeline.sorter import Batch, Sorter
from collector.service.pipeline.storer import Storer

BATCH = 2000  # reports; 500 cost a fifth more, and 3000 only memory
#: The store and the broker have work of each batch too: at 2,000 reports a second, batches of 0.2 s
#: cost the database nearly twice as much. The price: where something always comes, a PC sends its
#: arrears, 16 at a time, 20 a second instead of 80. Above 0.8 s, 99% would lack a receipt in 1 s.
AGE_S, PAUSE_S = 0.8, 0.05
IDLE_S = 0.5
_STORERS = 2


class _InProgress:
    """When the first message of each batch in progress arrived, ns since 1970 UTC."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._firsts: list[int] = []
        self.batch_ms = 0.0

    def take(self, first: int | None) -> None:
        if first is not None:
            with self._lock:
                self._firsts.append(first)

    def done(self, first: int | None) -> None:
        if first is None:  # nothing was received
            return
        with self._lock:
            self._firsts.remove(first)
            self.batch_ms = (time.time_ns() - first) / 1e6

    @property
    def oldest(self) -> int | None:
        with self._lock:
            return min(self._firsts, default=None)


class Worker:
    """Empties the inbox. The only writer of raw points."""

    def __init__(self, inbox: Inbox, sorter: Sorter, storer: Storer) -> None:
        self._inbox, self._sorter, self._storer = inbox, sorter, storer
        self._in_progress = _InProgress()
        self._free = threading.Semaphore(_STORERS + 1)
        self._sorted: queue.SimpleQueue[tuple[Batch, int | None] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._sort_all, name="sorter", daemon=True),
            *(
                threading.Thread(target=self._store_all, name=f"storer-{n}", daemon=True)
                for n in range(_STORERS)
            ),
        ]

    def start(self) -> None:
        """Work until the inbox is closed and empty."""
        for thread in self._threads:
            thread.start()

    def join(self, seconds: float) -> bool:
        """Whether all batches are done within `seconds`."""
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return not self.alive

    @property
    def alive(self) -> bool:
        """Whether any of its threads still runs."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def oldest_s(self) -> float:
        """Age of the oldest message not yet receipted, s; 0 where there is none."""
        first = self._in_progress.oldest or self._inbox.first
        return 0.0 if first is None else max(0.0, (time.time_ns() - first) / 1e9)

    @property
    def batch_ms(self) -> float:
        """The last batch, from its first message's arrival to its receipts."""
        return self._in_progress.batch_ms

    def handle(self, messages: Sequence[Message]) -> None:
        """One batch, to its receipts, in the caller's thread."""
        self._storer.store(self._sorter.sort(messages))

    def _sort_all(self) -> None:
        try:
            self._sorter.start()
            while not (self._inbox.closed and not len(self._inbox)):
                self._free.acquire()
                self._sort(self._inbox.take(BATCH, age=AGE_S, pause=PAUSE_S, idle=IDLE_S))
        finally:
            for _ in range(_STORERS):
                self._sorted.put(None)

    def _sort(self, messages: Sequence[Message]) -> None:
        first = messages[0].arrived if messages else None
        self._in_progress.take(first)
        try:
            self._sorted.put((self._sorter.sort(messages), first))
        except Exception as error:
            self._failed(len(messages), first, error)

    def _store_all(self) -> None:
        while (found := self._sorted.get()) is not None:
            batch, first = found
            try:
                self._storer.store(batch)
                self._done(first)
            except Exception as error:
                self._failed(len(batch.items), first, error)

    def _failed(self, messages: int, first: int | None, error: Exception) -> None:
        """No receipt was sent: the agents send these again."""
        log.warning("batch_failed", messages=messages, reason=error, at=log.where(error))
        self._done(first)

    def _done(self, first: int | None) -> None:
        self._in_progress.done(first)
        self._free.release()

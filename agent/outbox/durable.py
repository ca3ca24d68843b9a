"""The outbox's file while it is open: bounded, mended when damaged, and alive on a full disk."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from agent.clock import Clock
from agent.common.sqlite import change
from agent.outbox import file, reserve
from agent.outbox import limits as bound
from agent.outbox import receipt as rules
from agent.outbox.age import Age
from agent.outbox.limits import Limits
from agent.outbox.window import Window

#: On a full disk the outbox holds this share of what it held, but not less than some bytes.
_SHRINK, _LEAST_BYTES = 0.9, 65_536
#: When it looks for room again: each time later, for a disk that fills again costs a share each.
_LOOK_MS, _LONGEST_LOOK_MS = 600_000, 86_400_000

_T = TypeVar("_T")


class DurableFile:
    """What the outbox builds on. `_lock` guards `_db` and `_window`."""

    def __init__(
        self, path: Path, machine: str, clock: Clock, limits: Limits, window: Window
    ) -> None:
        """Open the file and make it `machine`'s own.

        Raises:
            OSError, sqlite3.Error: the file cannot be made or written.
        """
        self.path = path
        self.machine = machine
        self.damaged: Path | None = None  # where the last damaged file was moved
        self._clock = clock
        self._limits = self._asked = limits
        self._look_ms = _LOOK_MS
        self._look_at = 0  # ms on the monotonic clock
        self._window = window
        self._lock = threading.RLock()
        self._closed = False  # after a damage that could not be mended
        self._open()

    def _open(self) -> None:
        opened = self._opened()
        self._db = opened.db
        self._closed = False
        self.damaged = opened.damaged
        self._age = Age(self._db, self._clock)
        self._keep_reserve()
        file.claim(self._db, self.machine)
        self._release()  # a retry time of an earlier boot's clock means nothing now

    def _opened(self) -> file.Opened:
        """Opening takes room too: what is kept back serves a disk that is full already."""
        try:
            return file.open_file(self.path)
        except sqlite3.OperationalError as error:
            if not reserve.is_full(error):
                raise
        reserve.drop(self.path)
        return file.open_file(self.path)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def mend(self, error: sqlite3.DatabaseError) -> None:
        """Move the file aside if `error` says it is damaged; go on with what can be read.

        Where the disk does not let us, the outbox stays closed, and the next call tries again.

        Raises:
            OSError, sqlite3.Error: the file cannot be made or written.
        """
        if not (file.is_damage(error) or self._closed):
            return
        with self._lock:
            self._db.close()
            self._closed = True
            self._window.clear()
            self._open()

    def _durably(self, work: Callable[[], _T]) -> _T:
        """Do it; where the file is damaged or the disk full, mend that and do it once more."""
        try:
            return work()
        except sqlite3.DatabaseError as error:
            if reserve.is_full(error):
                self._make_way()
            elif file.is_damage(error) or self._closed:
                self.mend(error)
            else:
                raise
        return work()

    def _make_way(self) -> None:
        """The disk is full: from now on the outbox holds no more than it did, and a bit less."""
        reserve.give_up(self.path, self._db)
        most = max(int(file.total(self._db).bytes * _SHRINK), _LEAST_BYTES)
        self._limits = self._limits._replace(bytes=min(most, self._limits.bytes))
        self._look_at = self._clock.elapsed() + self._look_ms
        self._look_ms = min(2 * self._look_ms, _LONGEST_LOOK_MS)
        self._bound()
        reserve.checkpoint(self._db)
        self._keep_reserve()

    def _keep_reserve(self) -> None:
        if self._limits.reserve:
            reserve.keep(self.path)

    def _stretch(self) -> None:
        """Others have freed the disk: the outbox may hold as much as it was asked to."""
        if self._limits is not self._asked and self._clock.elapsed() >= self._look_at:
            self._look_at = self._clock.elapsed() + self._look_ms
            if reserve.room(self.path):
                self._limits = self._asked
                self._keep_reserve()

    def _bound(self) -> None:
        self._stretch()
        lived = self._age.now()
        if bound.exceeded(self._db, self._limits, lived):
            with change(self._db):
                gone = bound.keep(self._db, self._limits, lived)
            self._window.drop(gone)

    def _release(self, now: int | None = None) -> None:
        """Held rows wait for nothing but their turn: all, or those due by `now`."""
        first = rules.first_retry(self._db)
        if first is not None and (now is None or first <= now):
            with change(self._db):
                rules.release(self._db, now)

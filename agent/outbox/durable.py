"""The open outbox file: kept within its limits, repaired when damaged, usable on a full disk."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from agent.clock import Clock
from agent.common.sqlite import transaction
from agent.outbox import file, reserve
from agent.outbox import limits as limit_rules
from agent.outbox import receipt as receipt_rules
from agent.outbox.age import Age
from agent.outbox.limits import Limits
from agent.outbox.window import Window

#: On a full disk the limit becomes this share of the current size, but at least these bytes.
_SHRINK, _LEAST_BYTES = 0.9, 65_536
#: Wait before free space is checked again; doubled each time the disk was full, because every
#: time that it fills up costs another share of the rows.
_RECHECK_MS, _LONGEST_RECHECK_MS = 600_000, 86_400_000

_T = TypeVar("_T")


class DurableFile:
    """Base of `Outbox`: opens, repairs and bounds the file. `_lock` guards `_db` and `_window`."""

    def __init__(
        self, path: Path, machine: str, clock: Clock, limits: Limits, window: Window
    ) -> None:
        """Open the file and claim it for `machine`.

        Raises:
            OSError, sqlite3.Error: the file cannot be made or written.
        """
        self.path = path
        self.machine = machine
        self.damaged: Path | None = None  # where the last damaged file was moved
        self._clock = clock
        self._limits = self._configured = limits
        self._recheck_ms = _RECHECK_MS
        self._recheck_at = 0  # ms on the monotonic clock
        self._window = window
        self._lock = threading.RLock()
        self._closed = False  # the file was damaged and could not be reopened yet
        self._open()

    def _open(self) -> None:
        opened = self._open_file()
        self._db = opened.db
        self._closed = False
        self.damaged = opened.damaged
        self._age = Age(self._db, self._clock)
        self._keep_reserve()
        file.claim(self._db, self.machine)
        self._release_held()  # their retry times are of an earlier boot's monotonic clock

    def _open_file(self) -> file.Opened:
        """Open the file; on a full disk free the reserve first, as opening needs space too."""
        try:
            return file.open_file(self.path)
        except sqlite3.OperationalError as error:
            if not reserve.is_full(error):
                raise
        reserve.free(self.path)
        return file.open_file(self.path)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def repair(self, error: sqlite3.DatabaseError) -> None:
        """If `error` says that the file is damaged, move it aside and salvage what is readable.

        If that fails, the outbox stays closed and the next call tries again.

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

    def _with_recovery(self, work: Callable[[], _T]) -> _T:
        """Run `work`; if the file is damaged or the disk full, fix that and run it once more."""
        try:
            return work()
        except sqlite3.DatabaseError as error:
            if reserve.is_full(error):
                self._handle_full_disk()
            elif file.is_damage(error) or self._closed:
                self.repair(error)
            else:
                raise
        return work()

    def _handle_full_disk(self) -> None:
        """Free the reserve, and lower the limit to a little less than the current size."""
        reserve.free(self.path)
        reserve.checkpoint(self._db)
        most = max(int(file.total(self._db).bytes * _SHRINK), _LEAST_BYTES)
        self._limits = self._limits._replace(bytes=min(most, self._limits.bytes))
        self._recheck_at = self._clock.elapsed() + self._recheck_ms
        self._recheck_ms = min(2 * self._recheck_ms, _LONGEST_RECHECK_MS)
        self._enforce_limits()
        reserve.checkpoint(self._db)
        self._keep_reserve()

    def _keep_reserve(self) -> None:
        if self._limits.reserve:
            reserve.create(self.path)

    def _restore_limits(self) -> None:
        """Return to the configured limits once the disk has free space again."""
        if self._limits is not self._configured and self._clock.elapsed() >= self._recheck_at:
            self._recheck_at = self._clock.elapsed() + self._recheck_ms
            if reserve.disk_has_room(self.path):
                self._limits = self._configured
                self._keep_reserve()

    def _enforce_limits(self) -> None:
        self._restore_limits()
        age = self._age.now()
        if limit_rules.exceeded(self._db, self._limits, age):
            with transaction(self._db):
                dropped = limit_rules.enforce(self._db, self._limits, age)
            self._window.drop(dropped)

    def _release_held(self, now: int | None = None) -> None:
        """Make held rows wait for sending again: all of them, or those due by `now`."""
        first = receipt_rules.first_retry(self._db)
        if first is not None and (now is None or first <= now):
            with transaction(self._db):
                receipt_rules.release_held(self._db, now)

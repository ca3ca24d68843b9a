"""The keeper's thread: every `keeper_s` it derives the days that new reports belong to."""

from __future__ import annotations

import datetime as dt
import math
import threading
import time
from collections.abc import Collection
from typing import Protocol

from agent.common import log
from agent.common.backoff import backoff
from agent.common.calendar import CITY_TIME
from collector.service.pipeline.pending_days import PendingDays
from collector.store.base import MisconfiguredError, Store, UnavailableError

#: A run is followed by at least this many times its length, so that ingest keeps its core.
_REST = 3.0
#: How far back a keeper reads notes at its start, and at each later run. A note has the time of
#: the attempt that wrote it, so the hour allows for the other machine's clock.
_LOOK_BACK_NS, _LATE_NS = 7 * 86_400 * 10**9, 3600 * 10**9
#: Collectors note a day once a minute, so a note covers what they store until this long after it
#: was first read, s; two of the three minutes are for a slow write.
_NOTE_COVERS_S = 180.0


class Deriver(Protocol):
    """What `collector.keeper.Keeper` does."""

    def derive(self, days: Collection[dt.date]) -> object:
        """Compute all rows of these days."""

    def run_once(self, now: dt.datetime) -> object:
        """What is due by the clock alone."""


class KeeperThread:
    """Runs a keeper until stopped. What fails is tried again; the days stay marked."""

    def __init__(
        self, keeper: Deriver, pending: PendingDays, period_s: float, notes: Store | None = None
    ) -> None:
        """`notes`: a store in which collectors on other machines note the days to derive."""
        self._keeper, self._pending_days, self._period_s = keeper, pending, period_s
        self._notes = notes
        self._read_from = time.time_ns() - _LOOK_BACK_NS
        self._due: dict[
            tuple[int, str], float
        ] = {}  # notes read: when to derive their days once more
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._logged = ""

    def start(self) -> None:
        """Start; the first run is at once, for days marked before."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Stop after the current day; the days that are left are derived after the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    @property
    def alive(self) -> bool:
        """Whether a run has not ended yet."""
        return self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            started = time.monotonic()
            if self._guarded():
                failures = 0
                # Today is derived whole each time: in a large city's evening that takes minutes.
                wait = max(self._period_s, _REST * (time.monotonic() - started))
            else:
                wait = min(self._period_s, backoff(failures, base=1.0, cap=60.0))
                failures += 1
            self._stopping.wait(wait)

    def _guarded(self) -> bool:
        try:
            self._once()
        except Exception as error:  # whatever it is, the thread must not end
            self._log_once(error)
            return False
        self._logged = ""
        return True

    def _once(self) -> None:
        started = time.monotonic()
        if self._notes is not None:
            self._mark_noted(self._notes)
        taken, failed = self._pending_days.take(), []
        for day, mark in taken.items():
            if self._stopping.is_set():
                return
            try:
                self._keeper.derive([day])
            except (UnavailableError, MisconfiguredError):
                raise  # the store's fault, not this day's
            except Exception as error:  # one bad day must not hold up the others
                log.warning("day_not_derived", day=day, reason=error, at=log.where(error))
                failed.append(error)
            else:
                self._pending_days.done({day: mark})
        self._keeper.run_once(dt.datetime.now(CITY_TIME))
        if failed:
            raise failed[0]
        if taken:
            log.info("days_derived", days=len(taken), seconds=round(time.monotonic() - started, 2))

    def _mark_noted(self, store: Store) -> None:
        """Mark the days noted: at once, and again when the time that a note covers has ended."""
        now, at = time.time_ns(), time.monotonic()
        read = store.read("collector", self._read_from, now + _LATE_NS, fields=["days"])
        notes = dict.fromkeys(((point.time, str(point.fields["days"])) for point in read), at)
        notes |= {note: due for note, due in self._due.items() if note in notes or due < math.inf}
        for note, due in notes.items():
            if due <= at:
                self._pending_days.mark({dt.date.fromisoformat(day) for day in note[1].split(",")})
                notes[note] = math.inf if note in self._due else at + _NOTE_COVERS_S
        self._due, self._read_from = notes, now - _LATE_NS

    def _log_once(self, error: Exception) -> None:
        if repr(error) != self._logged:
            self._logged = repr(error)
            log.warning("keeper_failed", reason=error)

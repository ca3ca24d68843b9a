"""The keeper's thread: every `keeper_s` it derives the schools' days that new reports are of."""

from __future__ import annotations

import datetime as dt
import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from agent.common import log
from agent.common.backoff import backoff
from agent.common.calendar import CITY_TIME
from collector.service.pipeline.day_notes import noted, noted_days
from collector.service.pipeline.pending_days import Pair, PendingDays, Taken, order
from collector.service.second_looks import UNMARKED, SecondLooks
from collector.store.base import Point, Store

#: A run is followed by a rest of at least this part of its length.
_REST = 0.25
#: How long days before today may keep today's new reports waiting, s.
_ARREARS_S = 30.0
#: How many schools that go on read and write together.
_TOGETHER = 20
#: Days done are unmarked together, as each time waits for the disk.
_DONE_EVERY_S = 1.0
#: How far back a keeper reads notes at its first start, and before the newest one at each later
#: run. A note has the time of the attempt that wrote it: the hour allows for the machines' clocks.
_LOOK_BACK_NS, _LATE_NS = 7 * 86_400 * 10**9, 3600 * 10**9
#: Once in this time a keeper looks at all of the last week's notes: a clock may be far behind.
_WEEK_EVERY_NS = 86_400 * 10**9
#: Collectors note a day once a minute, so a note covers what they store until this long after it
#: was first read, s; two of the three minutes are for a slow write.
_NOTE_COVERS_S = 180.0


class Deriver(Protocol):
    """What `collector.keeper.Keeper` does."""

    def begin(self) -> bool:
        """Begin a run; whether what the last one derived must be derived again."""

    def schools(self) -> Collection[str]:
        """The schools whose days it derives."""

    def goes_on(self, school: str, day: dt.date) -> bool:
        """Whether new reports of a school's day cost what they are, not what the day holds."""

    def derive_schools(
        self, due: Mapping[str, int], day: dt.date, follows: Callable[[str, dt.date], object]
    ) -> Mapping[str, Exception]:
        """Compute schools' rows of a day, in each of which reports since a time are new.

        `follows` is told, first, a day that must follow. Returns the schools that failed.
        """

    def run_once(self, now: dt.datetime) -> object:
        """What is due by the clock alone."""


class KeeperThread:
    """Runs a keeper until stopped. What fails is tried again; the days stay marked."""

    def __init__(
        self,
        keeper: Deriver,
        pending: PendingDays,
        period_s: float,
        notes: Store | None = None,
        readable_s: float = 0.0,
    ) -> None:
        """`notes`: a store in which collectors on other machines note the days to derive.

        With it, the lag is noted there too: no collector of this machine knows it.
        `readable_s`: how long reads may lack what was stored (see `collector.store.base.Limits`).
        """
        self._keeper, self._pending_days, self._period_s = keeper, pending, period_s
        self._notes, self._readable_s = notes, readable_s
        self._looks = SecondLooks(readable_s)
        until, self._week_at = pending.notes_until()
        self._read_from = _notes_from(until, time.time_ns())
        self._marked: set[int] = set()  # hashes of the notes of the last week that this one marked
        self._due: dict[tuple[int, str], float] = {}  # notes read: when to derive once more
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._logged = ""
        self._derived: set[Pair] = set()  # by the last run
        self._arrears = False

    def start(self) -> None:
        """Start; the first run is at once, for days marked before."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Have it end after the school that it derives; returns at once."""
        self._stopping.set()

    def stop(self, seconds: float) -> None:
        """Stop after the current school; what is left is derived after the next start."""
        self.ask_to_stop()
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
                took = time.monotonic() - started
                wait = max(0.0 if self._arrears else self._period_s - took, _REST * took)
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
        if self._keeper.begin():
            self._pending_days.mark(dict.fromkeys(self._derived, 0))
        self._derived.clear()
        if self._notes is not None:
            self._mark_noted(self._notes)
        failed: list[Exception] = []
        taken = self._looks.added_to(self._take())
        if taken:  # what is stored from now on is marked anew, so this waits for all of it
            self._stopping.wait(self._readable_s)
        for pairs in self._batches(taken, failed):
            self._pending_days.done({pair: taken[pair] for pair in pairs})
            self._looks.derived(pairs)
            self._derived |= pairs
        if self._derived:
            self._stopping.wait(self._readable_s)  # the figure is judged by these rows
        if self._stopping.is_set():
            return
        self._keeper.run_once(dt.datetime.now(CITY_TIME))
        if self._notes is not None:
            self._note_lag(self._notes)
        if failed:
            raise failed[0]
        if self._derived:
            seconds = round(time.monotonic() - started, 2)
            log.info("days_derived", days=len(self._derived), seconds=seconds)

    def _take(self) -> dict[Pair, Taken]:
        """What is pending; marks of all schools become one of each."""
        taken = self._pending_days.take()
        every = {pair: one for pair, one in taken.items() if not pair.school}
        if not every:
            return taken
        schools = self._keeper.schools()
        self._pending_days.mark(
            {Pair(school, pair.day): one.since for pair, one in every.items() for school in schools}
        )
        self._pending_days.done(every)
        return self._pending_days.take()

    def _batches(self, taken: Mapping[Pair, Taken], failed: list[Exception]) -> Iterator[set[Pair]]:
        """Derives: today first, then what is older, as far as there is time. Yields what is done.

        Days that are to follow are marked before the day that they follow is done.
        """
        today = dt.datetime.now(CITY_TIME).date()
        done: set[Pair] = set()
        since = time.monotonic()
        began: float | None = None  # with the days before today
        self._arrears = False
        for some in self._together(self._apart(order(taken, today), taken, today), taken):
            now = time.monotonic()
            if some[0].day != today:
                began = now if began is None else began
                self._arrears = now - began > _ARREARS_S
            if self._stopping.is_set() or self._arrears:
                break
            done |= self._derive(some, taken, failed)
            if time.monotonic() - since > _DONE_EVERY_S:
                yield done
                done, since = set(), time.monotonic()
        if done:
            yield done

    def _apart(
        self, pairs: Sequence[Pair], taken: Mapping[Pair, Taken], today: dt.date
    ) -> Iterator[Pair]:
        """One past day of a school a run, where reads may lack what was just stored: the next day
        starts from its rows, and has to wait. Those that are marked come before second looks."""
        marked = {p.school for p in pairs if p.day != today and taken[p].mark != UNMARKED}
        seen: set[str] = set()
        for pair in pairs:
            if pair.day != today and self._readable_s:
                if pair.school in seen or (pair.school in marked and taken[pair].mark == UNMARKED):
                    continue
                seen.add(pair.school)
            yield pair

    def _together(self, pairs: Iterable[Pair], taken: Mapping[Pair, Taken]) -> Iterator[list[Pair]]:
        """Schools of one day that go on, some at a time; every other school's day by itself."""
        some: list[Pair] = []
        for pair in pairs:
            alone = not taken[pair].since or not self._keeper.goes_on(pair.school, pair.day)
            if some and (alone or len(some) == _TOGETHER or pair.day != some[0].day):
                yield some
                some = []
            some.append(pair)
            if alone:
                yield some
                some = []
        if some:
            yield some

    def _derive(
        self, pairs: Sequence[Pair], taken: Mapping[Pair, Taken], failed: list[Exception]
    ) -> set[Pair]:
        """Derive schools of one day; those that could be."""
        day, due = pairs[0].day, {pair.school: taken[pair].since for pair in pairs}
        bad = self._keeper.derive_schools(due, day, self._follows)
        for school, error in bad.items():  # one bad day must not hold up the others
            at = log.where(error)
            log.warning("day_not_derived", school=school, day=day, reason=error, at=at)
            failed.append(error)
        return {pair for pair in pairs if pair.school not in bad}

    def _follows(self, school: str, day: dt.date) -> None:
        self._pending_days.mark({Pair(school, day): 0})

    def _mark_noted(self, store: Store) -> None:
        """Mark the days noted: at once, and again when the time that a note covers has ended."""
        now, at = time.time_ns(), time.monotonic()
        whole = not 0 <= now - self._week_at < _WEEK_EVERY_NS
        if whole:
            self._read_from, self._week_at = now - _LOOK_BACK_NS, now
        read = [*self._read(store, "noted"), *self._read(store, "days")]
        known = self._marked - set(map(hash, self._due))
        notes = {note: at for note in read if hash(note) not in known}
        notes |= {note: due for note, due in self._due.items() if note in notes or due < math.inf}
        marks: dict[Pair, int] = {}
        for note, due in notes.items():
            if due <= at:
                for pair, since in _pairs(note[1]).items():
                    marks[pair] = min(since, marks.get(pair, since))
                notes[note] = math.inf if note in self._due else at + _NOTE_COVERS_S
        self._pending_days.mark(marks)
        self._due = notes
        self._marked = set(map(hash, read)) | (set() if whole else self._marked)
        # By the notes' own times: this machine's clock may be set in between.
        newest = max((time for time, _ in read), default=None)
        self._read_from = (
            min(self._read_from, now - _LOOK_BACK_NS)
            if newest is None
            else min(newest, now) - _LATE_NS
        )
        self._pending_days.set_notes_until(self._read_from, self._week_at)

    def _read(self, store: Store, field: str) -> Iterator[tuple[int, str]]:
        points = store.read("collector", self._read_from, 2**62, fields=[field])
        return ((point.time, str(point.fields[field])) for point in points)

    def _note_lag(self, store: Store) -> None:
        oldest, now = self._pending_days.oldest(), time.time()
        lag = 0.0 if oldest is None else max(0.0, now - oldest)
        store.write([Point("collector", {}, {"keeper_lag_s": round(lag, 1)}, time.time_ns())])

    def _log_once(self, error: Exception) -> None:
        if repr(error) != self._logged:
            self._logged = repr(error)
            log.warning("keeper_failed", reason=error)


def _notes_from(until: int, now: int) -> int:
    """From when a keeper reads the notes at its start, if all were marked until then.

    That is an hour earlier than at a later run: some may have been marked once only. Where the
    clock was set back since, `until` says nothing.
    """
    known = until - _LATE_NS if until <= now else 0
    return max(known, now - _LOOK_BACK_NS)


def _pairs(note: str) -> dict[Pair, int]:
    """The days of a note; none of one that cannot be read."""
    try:
        return noted(note) if " " in note else noted_days(note)
    except ValueError as error:
        log.warning("note_unreadable", note=note[:100], reason=error)
        return {}

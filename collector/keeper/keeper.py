"""The keeper: computes what needs history from the store and the register alone, repeatably."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from itertools import islice

from agent.common import log
from collector.config import City, Figure
from collector.keeper import indicators
from collector.keeper.audit import Boot, sums_of
from collector.keeper.memory import Memory
from collector.keeper.others import Others
from collector.keeper.part import Part
from collector.keeper.previous_state import PreviousState
from collector.keeper.schoolday import SchoolDay
from collector.keeper.state import rule_for
from collector.roster.register import Register
from collector.store import Point, RejectedError, Store
from collector.store.clocks import PCS_APART_S

_BATCH = 2000
#: Rest after judging, as a multiple of its duration: judging takes at most a twentieth of the time.
_REST = 20
#: How long the hour rows of silent schools may keep today's reports waiting, s.
_HOURS_S = 20.0


class Keeper:
    """Derives days and indicators. Not for use by several threads at once.

    `load_register` returns the register in force, `version` says cheaply whether that changed
    (without it, it is loaded at each `begin`), `quarantined` the number of quarantined reports by
    machine and boot. Every row is a pure function of the store and the register, so a keeper that
    stops loses nothing and two keepers at once write the same rows.
    """

    def __init__(
        self,
        store: Store,
        load_register: Callable[[], Register],
        figure: Figure,
        city: City,
        report_s: float = 300,
        now: Callable[[], int] = time.time_ns,
        quarantined: Callable[[], Counter[Boot]] = Counter,
        version: Callable[[], int] | None = None,
        part: Part | None = None,
    ) -> None:
        self._store, self._load, self._version = store, load_register, version
        self._figure, self._city, self._part = figure, city, part or Part()
        self._previous = PreviousState(store, rule_for(report_s))
        self._now = now  # ns since 1970 UTC
        self._changed = True  # when the figure was last judged is not known at the start
        self._judged: dt.date | None = None
        self._rest_until = 0.0
        self._quarantined = quarantined
        self._audit_due = 0.0
        self._hour = 0  # of the last hour rows of all schools
        self._hour_left: list[tuple[dt.date, str]] = []
        self._memory, self._others = Memory(), Others(store, self._part)
        self._loaded: tuple[int | None, Register] | None = None

    def begin(self) -> bool:
        """Begin a run: whether another keeper wrote rows of these schools since the last one.

        If so, what the last run derived must be derived again: both may have read what the other
        was about to write. To be called before each run.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        self._reload()
        if not self._others.wrote():
            return False
        self._forget()
        return True

    def schools(self) -> list[str]:
        """The codes of the registered schools of this keeper's part."""
        return self._part.schools(self._register().schools)

    def derive(self, days: Collection[dt.date]) -> int:
        """Compute all rows of these days whole, oldest first; returns how many day rows changed.

        Future hours of today have no row yet.

        Raises:
            UnavailableError, MisconfiguredError: some rows may be written; derive them again.
        """
        self._reload()
        schools = self.schools()
        wanted = {day: set(schools) for day in days}
        changed = 0
        while wanted:
            day = min(wanted)
            for school in sorted(wanted.pop(day)):
                follows: list[dt.date] = []
                changed += self._derive(school, day, 0, follows.append)
                for following in follows:
                    wanted.setdefault(following, set()).add(school)
        return changed

    def derive_school(
        self,
        school: str,
        day: dt.date,
        since: int = 0,
        follows: Callable[[dt.date], object] = lambda day: None,
    ) -> None:
        """Compute a school's rows of a day, of which reports with a time >= `since` (ns) are new.

        0: whole; later than all: none is new, but the register may be. `follows` is told the next
        day that must then be derived too, whole, as each day starts from the device states at the
        end of the day before: before a row is written, as afterwards nothing would tell. A school
        that is not registered, or of another part, has no rows.

        Raises:
            UnavailableError, MisconfiguredError: see `derive`.
        """
        if self._part.has(school) and school in self._register().schools:
            self._derive(school, day, since, follows)

    def _derive(
        self, school: str, day: dt.date, since: int, follows: Callable[[dt.date], object]
    ) -> int:
        kept = self._memory.take(school, day)  # lost, if anything fails
        points = kept.go_on(since) if kept is not None and since else None
        whole = kept is None or points is None
        if kept is None or points is None:
            kept = SchoolDay(self._store, self._register(), school, day, self._previous)
            points = kept.derive()
        following = None
        if _carries(points) and (whole or self._memory.later(school, day)):
            following = self._previous.changed(school, day)
        if following is not None:
            follows(following)
        changed = len(points)
        self._store_all([*points, *kept.hours(self._now())])
        self._changed |= bool(changed)
        if changed:
            self._memory.drop_later(school, day)
        self._memory.keep(school, day, kept, indicators.city_day(self._now() - 3600 * 10**9))
        return changed

    def run_once(self, now: dt.datetime) -> None:
        """Write what is due at `now`.

        Each hour: the hour rows of every school, silent ones too, and the audit. Each day, and
        after day rows have changed: the indicators. The audit and the indicators are the first
        part's.

        Raises:
            UnavailableError, MisconfiguredError: see `derive`.
        """
        today = now.astimezone(indicators.CITY_TIME).date()
        self._begin_hour(now)
        if not self._part.is_first:
            return
        self._audit_when_due(now)
        changed = self._changed or self._part.of > 1  # what others change is not known here
        due = changed and time.monotonic() >= self._rest_until
        if not due and today == self._judged:
            return
        started = time.monotonic()
        self._changed = False
        try:
            self.judge(today)
        except BaseException:
            self._changed = True
            raise
        self._judged = today
        self._rest_until = time.monotonic() + _REST * (time.monotonic() - started)

    def judge(self, today: dt.date) -> int:
        """Write the `indicator`, `school_day` and `line_day` points of a day; returns how many.

        Raises:
            UnavailableError, MisconfiguredError: see `derive`.
        """
        return self._store_all(
            indicators.of_day(self._store, self._register(), self._figure, self._city, today)
        )

    def _begin_hour(self, now: dt.datetime) -> None:
        """In a new hour, write each school's rows of today, and of the day of the hour before."""
        hour = int(now.timestamp()) // 3600
        if hour != self._hour:
            before = now - dt.timedelta(hours=1)
            days = {at.astimezone(indicators.CITY_TIME).date() for at in (before, now)}
            self._hour_left = [(day, school) for day in sorted(days) for school in self.schools()]
            self._hour = hour
        until = time.monotonic() + _HOURS_S
        while self._hour_left and time.monotonic() < until:
            day, school = self._hour_left[-1]
            self._hours(school, day, int(now.timestamp()) * 10**9)
            self._hour_left.pop()

    def _hours(self, school: str, day: dt.date, now: int) -> None:
        kept = self._memory.take(school, day)
        if kept is None:
            self.derive_school(school, day)
            kept = self._memory.take(school, day)
        if kept is not None:
            self._store_all(kept.hours(now))
            self._memory.keep(school, day, kept, day)

    def _audit_when_due(self, now: dt.datetime) -> None:
        """Write the audit of the last 24 h as a metric: hourly, in a large city less often."""
        if time.monotonic() < self._audit_due:
            return
        started = time.monotonic()
        at, schools = int(now.timestamp()), sorted(self._register().schools)
        found = sums_of(self._store, schools, at * 10**9, self._quarantined())
        ahead = found.get("ahead_of_pcs_s", 0.0)
        if abs(float(ahead)) > PCS_APART_S:
            log.warning("clock_apart", ahead_s=round(float(ahead)), of="pcs")
        # On the hour, so that two keepers write one point.
        self._store_all([Point("collector", {}, found, (at - at % 3600) * 10**9)])
        self._audit_due = time.monotonic() + max(3600.0, _REST * (time.monotonic() - started))

    def _register(self) -> Register:
        """The register in force when the run began."""
        return self._loaded[1] if self._loaded else self._reload()

    def _reload(self) -> Register:
        """The register, loaded if it may have changed; what it changes is forgotten."""
        version = self._version() if self._version else None
        if self._loaded is not None and version is not None and version == self._loaded[0]:
            return self._loaded[1]
        before, found = self._loaded, self._load()
        self._loaded = version, found
        if before is not None and before[1] is not found:
            self._memory.under(before[1], found)
        return found

    def _forget(self) -> None:
        self._memory.clear()
        self._previous.clear()

    def _store_all(self, points: Iterable[Point]) -> int:
        rest, count = iter(points), 0
        while batch := list(islice(rest, _BATCH)):
            count += len(batch)
            self._others.about_to_write()
            try:
                self._store.write(batch)
            except RejectedError as error:
                # A register name that the store rejects must not block other schools' days.
                log.warning("derived_rejected", points=len(error.points), reason=error)
        return count


def _carries(points: Iterable[Point]) -> bool:
    """Whether later days may start from other states of devices, or names of PCs."""
    return any(point.measurement in ("device_day", "machine_day") for point in points)

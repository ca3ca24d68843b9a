"""The keeper: computes what needs history from the store and the register alone, repeatably."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping

from agent.common import log
from collector.config import City, Figure
from collector.keeper import indicators
from collector.keeper.audit import Boot, sums_of
from collector.keeper.checkpoints import Checkpoints
from collector.keeper.others import Others
from collector.keeper.part import Part
from collector.keeper.previous_state import PreviousState
from collector.keeper.schooldays import SchoolDays
from collector.keeper.state import rule_for
from collector.roster.register import Register
from collector.store import Point, Store
from collector.store.clocks import PCS_APART_S

#: Rest after judging, as a multiple of its duration: judging takes at most a twentieth of the time.
_REST = 20
#: How long the hour rows of silent schools may keep today's reports waiting, s.
_HOURS_S = 20.0
#: How many schools' hour rows are written together.
_TOGETHER = 5


class Keeper:
    """Derives days and indicators. Not for use by several threads at once.

    `load_register` returns the register in force, `version` says cheaply whether that changed
    (without it, it is loaded at each `begin`), `quarantined` the number of quarantined reports by
    machine and boot, `checkpoints` has the days that a keeper goes on with after its start. Every
    row is a pure function of the store and the register, so a keeper that stops loses nothing and
    two keepers at once write the same rows.
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
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self._store, self._load, self._version = store, load_register, version
        self._figure, self._city, self._part = figure, city, part or Part()
        self._others = Others(store, self._part)
        previous = PreviousState(store, rule_for(report_s))
        self._days = SchoolDays(store, self._register, previous, self._others, now, checkpoints)
        self._judged: dt.date | None = None
        self._rest_until = 0.0
        self._quarantined = quarantined
        self._audit_due = 0.0
        self._hour = 0  # of the last hour rows of all schools
        self._hour_left: list[tuple[dt.date, str]] = []
        self._loaded: tuple[int | None, Register] | None = None

    def begin(self) -> bool:
        """Begin a run: whether another keeper wrote rows of these schools since the last one.

        If so, what the last run derived must be derived again: both may have read what the other
        was about to write. To be called before each run.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        self._reload()
        wrote = self._others.wrote()
        if wrote:
            self._days.forget()
        self._days.begin()
        return wrote

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
                changed += self._days.derive_one(school, day, 0, follows.append)
                for following in follows:
                    wanted.setdefault(following, set()).add(school)
            # The next day starts from the rows of this one, and so does the figure.
            time.sleep(self._store.limits.readable_s)
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
        if self._has(school):
            self._days.derive_one(school, day, since, follows)

    def goes_on(self, school: str, day: dt.date) -> bool:
        """Whether new reports of a school's day cost what they are, not what the day holds."""
        return self._days.memory.has(school, day)

    def derive_schools(
        self, due: Mapping[str, int], day: dt.date, follows: Callable[[str, dt.date], object]
    ) -> dict[str, Exception]:
        """As `derive_school` of several schools, each with its `since`; reads and writes together.

        Returns those that could not be derived, and why; all others are.

        Raises:
            UnavailableError, MisconfiguredError: see `derive`.
        """
        mine = {school: since for school, since in due.items() if self._has(school)}
        return self._days.derive(mine, day, follows)

    def _has(self, school: str) -> bool:
        return self._part.has(school) and school in self._register().schools

    def run_once(self, now: dt.datetime) -> None:
        """Write what is due at `now`, and save some of what is remembered.

        Each hour: the hour rows of every school, silent ones too, and the audit. Each day, and
        after day rows have changed: the indicators. The audit and the indicators are the first
        part's.

        Raises:
            UnavailableError, MisconfiguredError: see `derive`.
        """
        today = now.astimezone(indicators.CITY_TIME).date()
        self._begin_hour(now)
        self._days.save()
        if not self._part.is_first:
            return
        self._audit_when_due(now)
        changed = self._days.changed or self._part.of > 1  # what others change is not known here
        due = changed and time.monotonic() >= self._rest_until
        if not due and today == self._judged:
            return
        started = time.monotonic()
        self._days.changed = False
        try:
            self.judge(today)
        except BaseException:
            self._days.changed = True
            raise
        self._judged = today
        self._rest_until = time.monotonic() + _REST * (time.monotonic() - started)

    def judge(self, today: dt.date) -> int:
        """Write the `indicator`, `school_day` and `line_day` points of a day; returns how many.

        Raises:
            UnavailableError, MisconfiguredError: see `derive`.
        """
        return self._days.write(
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
            last = self._hour_left[-1][0]
            some = [school for day, school in self._hour_left[-_TOGETHER:] if day == last]
            self._days.hours(some, last, int(now.timestamp()) * 10**9)
            del self._hour_left[-len(some) :]

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
        self._days.write([Point("collector", {}, found, (at - at % 3600) * 10**9)])
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
            self._days.memory.under(before[1], found)
        return found

"""The keeper: computes what needs history from the store and the register alone, repeatably."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from itertools import islice

from agent.common import log
from collector.config import City, Figure
from collector.keeper import indicators, schoolday, schoolhour
from collector.keeper.audit import Boot, sums_of
from collector.keeper.previous_state import PreviousState
from collector.keeper.state import rule_for
from collector.roster.register import Register
from collector.store import Point, RejectedError, Store
from collector.store.clocks import PCS_APART_S

_BATCH = 2000
#: Rest after judging, as a multiple of its duration: judging takes at most a twentieth of the time.
_REST = 20


class Keeper:
    """Derives days and indicators. Not for use by several threads at once.

    `load_register` returns the register in force, `quarantined` the number of quarantined
    reports by machine and boot. Every row is a pure function of the store and the register, so a
    keeper that stops loses nothing and two keepers at once write the same rows.
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
    ) -> None:
        self._store, self._load = store, load_register
        self._figure, self._city = figure, city
        self._previous = PreviousState(store, rule_for(report_s))
        self._now = now  # ns since 1970 UTC
        self._changed = True  # when the figure was last judged is not known at the start
        self._judged: dt.date | None = None
        self._rest_until = 0.0
        self._quarantined = quarantined
        self._audit_due = 0.0
        self._hour = 0  # of the last hour rows of all schools

    def derive(self, days: Collection[dt.date]) -> int:
        """Compute all rows of these days, oldest first; returns how many day rows changed.

        Holds one school's day in memory at a time. Future hours of today have no row yet.

        Raises:
            UnavailableError, MisconfiguredError: some rows may be written; derive them again.
        """
        register = self._load()
        wanted = {day: set(register.schools) for day in days}
        changed = 0
        while wanted:
            day = min(wanted)
            for school in sorted(wanted.pop(day)):
                points = schoolday.derive(self._store, register, school, day, self._previous)
                changed += self._store_all(points)
                self._store_all(self._hours(register, school, day, self._now()))
                # Each day starts from the device states at the end of the day before.
                following = self._previous.changed(school, day) if _any_device(points) else None
                if following is not None:
                    wanted.setdefault(following, set()).add(school)
        self._changed |= bool(changed)
        return changed

    def run_once(self, now: dt.datetime) -> None:
        """Write what is due at `now`.

        Each hour: the hour rows of every school, silent ones too, and the audit. Each day, and
        after day rows have changed: the indicators.

        Raises:
            UnavailableError, MisconfiguredError: see `derive`.
        """
        today = now.astimezone(indicators.CITY_TIME).date()
        self._begin_hour(now)
        self._audit_when_due(now)
        due = self._changed and time.monotonic() >= self._rest_until
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
            indicators.of_day(self._store, self._load(), self._figure, self._city, today)
        )

    def _begin_hour(self, now: dt.datetime) -> None:
        """In a new hour, write each school's rows of today, and of the day of the hour before."""
        hour = int(now.timestamp()) // 3600
        if hour == self._hour:
            return
        register = self._load()
        before = now - dt.timedelta(hours=1)
        for day in sorted({at.astimezone(indicators.CITY_TIME).date() for at in (before, now)}):
            for school in sorted(register.schools):
                self._store_all(self._hours(register, school, day, int(now.timestamp()) * 10**9))
        self._hour = hour

    def _audit_when_due(self, now: dt.datetime) -> None:
        """Write the audit of the last 24 h as a metric: hourly, in a large city less often."""
        if time.monotonic() < self._audit_due:
            return
        started = time.monotonic()
        at = int(now.timestamp())
        found = sums_of(self._store, sorted(self._load().schools), at * 10**9, self._quarantined())
        ahead = found.get("ahead_of_pcs_s", 0.0)
        if abs(float(ahead)) > PCS_APART_S:
            log.warning("clock_apart", ahead_s=round(float(ahead)), of="pcs")
        # On the hour, so that two keepers write one point.
        self._store_all([Point("collector", {}, found, (at - at % 3600) * 10**9)])
        self._audit_due = time.monotonic() + max(3600.0, _REST * (time.monotonic() - started))

    def _hours(self, register: Register, school: str, day: dt.date, now: int) -> Iterable[Point]:
        return schoolhour.derive(self._store, register, school, day, now)

    def _store_all(self, points: Iterable[Point]) -> int:
        rest, count = iter(points), 0
        while batch := list(islice(rest, _BATCH)):
            count += len(batch)
            try:
                self._store.write(batch)
            except RejectedError as error:
                # A register name that the store rejects must not block other schools' days.
                log.warning("derived_rejected", points=len(error.points), reason=error)
        return count


def _any_device(points: Iterable[Point]) -> bool:
    return any(point.measurement == "device_day" for point in points)

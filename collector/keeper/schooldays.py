"""Schools' days: derives their rows, whole or from what is new, and writes them together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import NamedTuple

from agent.common import log
from collector.keeper.checkpoints import Checkpoints
from collector.keeper.indicators import city_day
from collector.keeper.memory import Memory
from collector.keeper.midnight import bounds
from collector.keeper.others import Others
from collector.keeper.previous_state import PreviousState
from collector.keeper.raw import Raw, read_schools
from collector.keeper.saved import Saved
from collector.keeper.schoolday import SchoolDay
from collector.roster.register import Register
from collector.store import MisconfiguredError, Point, RejectedError, Store, UnavailableError

_BATCH = 2000
#: As the time of the first new report: there is none.
NOTHING_NEW = 2**62
#: Schools whose new reports begin within this time are read together, ns.
_NEAR_NS = 300 * 10**9


class _Derived(NamedTuple):
    """A school's day whose rows are to be written."""

    school: str
    day: dt.date
    kept: SchoolDay
    points: list[Point]
    hours: list[Point]


@contextmanager
def _told(school: str, failed: dict[str, Exception]) -> Iterator[None]:
    """One bad school must not hold up the others; a fault of the store is not its own."""
    try:
        yield
    except (UnavailableError, MisconfiguredError):
        raise
    except Exception as error:
        failed[school] = error


class SchoolDays:
    """Of the schools of one keeper. What fails is forgotten, and derived whole the next time."""

    def __init__(
        self,
        store: Store,
        register: Callable[[], Register],
        previous: PreviousState,
        others: Others,
        now: Callable[[], int],
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self._saved = Saved(checkpoints, register, previous.rule)
        self._store, self._register, self._previous = store, register, previous
        self._others, self._now = others, now
        self.memory = Memory()
        #: Whether any row has changed; when the figure was last judged is not known at the start.
        self.changed = True

    def derive(
        self, due: Mapping[str, int], day: dt.date, follows: Callable[[str, dt.date], object]
    ) -> dict[str, Exception]:
        """See `Keeper.derive_schools`."""
        start, ahead = self._read_ahead(due, day)
        if ahead:  # a store that takes no rows is noticed before anything is forgotten
            self._others.about_to_write()
        derived: list[_Derived] = []
        failed: dict[str, Exception] = {}
        for school, since in due.items():
            raw = (start, ahead[school]) if school in ahead else None
            with _told(school, failed):
                derived.append(self._rows(school, day, since, partial(follows, school), raw))
        if derived:
            failed |= self._finished(derived, follows)
        self.save()
        return failed

    def _finished(
        self, derived: Sequence[_Derived], follows: Callable[[str, dt.date], object]
    ) -> dict[str, Exception]:
        """Write the rows of all; where that fails by one of them, of each alone."""
        failed: dict[str, Exception] = {}
        with _told(derived[0].school, failed):
            self._finish(derived)
        if not failed or len(derived) == 1:
            return failed
        failed.clear()
        for school, day, *_ in derived:
            with _told(school, failed):
                self.derive_one(school, day, 0, partial(follows, school))
        return failed

    def derive_one(
        self, school: str, day: dt.date, since: int, follows: Callable[[dt.date], object]
    ) -> int:
        """See `Keeper.derive_school`; how many day rows changed."""
        return self._finish([self._rows(school, day, since, follows)])

    def hours(self, schools: Iterable[str], day: dt.date, now: int) -> None:
        """Write schools' hours of a day; its other rows are its mark's: a day may have to follow.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`, `Store.write`.
        """
        register, taken, points = self._register(), [], list[Point]()
        failed: dict[str, Exception] = {}
        for school in schools:
            with _told(school, failed):
                kept = self.memory.take(school, day)
                if kept is None and school in register.schools:
                    kept = self._as_it_is(school, day)
                if kept is not None:
                    points += kept.hours(now)
                    taken.append((school, kept))
        for school, error in failed.items():  # its day is not derived either: that is told again
            at = log.where(error)
            log.warning("hours_not_derived", school=school, day=day, reason=error, at=at)
        self.write(points)
        for school, kept in taken:
            self._keep(school, day, kept)

    def begin(self) -> None:
        """Begin a run, after `Others.wrote`."""
        self._saved.begin(self._others)

    def save(self) -> None:
        """Save some of the days that go on, for the keeper that starts next."""
        self._saved.save(self.memory, city_day(self._now() - 3600 * 10**9))

    def forget(self) -> None:
        """Derive all whole the next time."""
        self._saved.clear()
        self.memory.clear()
        self._previous.clear()

    def write(self, points: Iterable[Point]) -> int:
        """Write derived rows; returns how many.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.write`.
        """
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

    def _read_ahead(self, due: Mapping[str, int], day: dt.date) -> tuple[int, dict[str, Raw]]:
        """From when it read, and the points since then: of the schools whose news are recent."""
        begin, stop = bounds(day)
        known = {school: at for school, at in due.items() if 0 < at < stop}
        newest = max(known.values(), default=0)
        near = [
            school
            for school, since in known.items()
            if since >= newest - _NEAR_NS and self.memory.has(school, day)
        ]
        if len(near) < 2:
            return 0, {}
        start = max(begin, min(known[school] for school in near))
        return start, read_schools(self._store, near, start, stop)

    def _rows(
        self,
        school: str,
        day: dt.date,
        since: int,
        follows: Callable[[dt.date], object],
        ahead: tuple[int, Raw] | None = None,
    ) -> _Derived:
        """`ahead`: all points since a time, where the day is kept and they were read already."""
        kept = self.memory.take(school, day)  # lost, if anything fails
        known = kept is not None
        if kept is None and since:
            made = partial(self._made, school, day)
            kept, since = self._saved.take_up(school, day, since, made)
        points = kept.go_on(*(ahead or (since,))) if kept is not None and since else None
        if kept is None or points is None:
            self._saved.drop(school, day, 0)
            kept, known = self._made(school, day), False
            points = kept.derive()
        else:
            self._saved.drop(school, day, kept.first_new)
        carries = _carries(points)
        if not known or (carries and self.memory.later(school, day)):
            following = self._previous.changed(school, day)
            if following is not None:
                self.memory.has_later(school, following)
                if carries:
                    follows(following)
        return _Derived(school, day, kept, points, kept.hours(self._now()))

    def _finish(self, derived: Sequence[_Derived]) -> int:
        """Write the rows; returns how many are not of hours."""
        for one in derived:
            if one.points:
                self._saved.drop_later(one.school, one.day)
        self.write(point for one in derived for point in (*one.points, *one.hours))
        for school, day, kept, points, _ in derived:
            # Rows of other measurements may have been readable since the last figure only.
            self.changed |= bool(points or self._store.limits.readable_s)
            if points:
                self.memory.drop_later(school, day)
            self._keep(school, day, kept)
        return sum(len(one.points) for one in derived)

    def _as_it_is(self, school: str, day: dt.date) -> SchoolDay:
        """A school's day, which goes on if none of its rows would change now."""
        made = partial(self._made, school, day)
        kept, since = self._saved.take_up(school, day, NOTHING_NEW, made)
        points = kept.go_on(since) if kept is not None else None
        if kept is None or points is None:
            kept = made()
            points = kept.derive()
        kept.goes_on &= not points
        return kept

    def _made(self, school: str, day: dt.date) -> SchoolDay:
        return SchoolDay(self._store, self._register(), school, day, self._previous)

    def _keep(self, school: str, day: dt.date, one: SchoolDay) -> None:
        self.memory.keep(school, day, one, city_day(self._now() - 3600 * 10**9))


def _carries(points: Iterable[Point]) -> bool:
    """Whether later days may start from other states of devices, or names of PCs."""
    return any(point.measurement in ("device_day", "machine_day") for point in points)

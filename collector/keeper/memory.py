"""What a keeper remembers of the schools' last days, so that a run costs what is new."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from collector.keeper.schoolday import SchoolDay
from collector.roster.register import Decision, Register


class Memory:
    """Schools' days that can go on. Days that are over are derived whole, and not kept."""

    def __init__(self) -> None:
        self._days: dict[str, dict[dt.date, SchoolDay]] = {}
        self._newest: dict[str, dt.date] = {}  # that may have rows

    def take(self, school: str, day: dt.date) -> SchoolDay | None:
        """A school's day, which is not kept any more."""
        return self._days.get(school, {}).pop(day, None)

    def has(self, school: str, day: dt.date) -> bool:
        """Whether a school's day is kept."""
        return day in self._days.get(school, {})

    def keep(self, school: str, day: dt.date, one: SchoolDay, oldest: dt.date) -> None:
        """Keep a school's day, if it can go on and is not older than `oldest`, as no other is."""
        days = self._days.setdefault(school, {})
        for past in [past for past in days if past < oldest]:
            del days[past]
        if one.goes_on and day >= oldest:
            days[day] = one
        self.has_later(school, day)

    def all(self) -> Iterator[tuple[str, dt.date, SchoolDay]]:
        """The schools' days that are kept."""
        for school, days in self._days.items():
            for day, one in days.items():
                yield school, day, one

    def later(self, school: str, day: dt.date) -> bool:
        """Whether a later day than this has rows."""
        return self._newest.get(school, day) > day

    def has_later(self, school: str, day: dt.date) -> None:
        """This day has rows, whoever derived them."""
        self._newest[school] = max(day, self._newest.get(school, day))

    def drop_later(self, school: str, day: dt.date) -> None:
        """Days after one whose rows changed start from other states and names."""
        days = self._days.get(school, {})
        for following in [following for following in days if following > day]:
            del days[following]

    def under(self, before: Register, now: Register) -> None:
        """Forget the schools of which the register says something else now."""
        if before.calendar != now.calendar:
            self.clear()
        was, decided = decisions_of(before), decisions_of(now)
        for school, days in self._days.items():
            same = was.get(school) == decided.get(school)
            if not same or rows_of(before, school) != rows_of(now, school):
                days.clear()
            for one in days.values():
                one.register = now

    def clear(self) -> None:
        """Forget all."""
        self._days.clear()
        self._newest.clear()


def decisions_of(register: Register) -> dict[str, list[Decision]]:
    """The decisions about each school's PCs."""
    found: dict[str, list[Decision]] = defaultdict(list)
    for row in register.decisions:
        found[row.school].append(row)
    return found


def rows_of(register: Register, school: str) -> tuple[object, ...]:
    """What a school's rows depend on."""
    rooms = register.rooms_of.get(school, [])
    owned = [register.equipment_of.get((school, name)) for name in ("", *(r.room for r in rooms))]
    return register.schools.get(school), rooms, owned, register.machines_of.get(school)

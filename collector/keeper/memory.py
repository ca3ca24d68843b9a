"""What a keeper remembers of the schools' last days, so that a run costs what is new."""

from __future__ import annotations

import datetime as dt

from collector.keeper.schoolday import SchoolDay


class Memory:
    """Schools' days that can go on. Days that are over are derived whole, and not kept."""

    def __init__(self) -> None:
        self._days: dict[str, dict[dt.date, SchoolDay]] = {}
        self._newest: dict[str, dt.date] = {}  # that may have rows

    def take(self, school: str, day: dt.date) -> SchoolDay | None:
        """A school's day, which is not kept any more."""
        return self._days.get(school, {}).pop(day, None)

    def keep(self, school: str, day: dt.date, one: SchoolDay, oldest: dt.date) -> None:
        """Keep a school's day, if it can go on and is not older than `oldest`, as no other is."""
        days = self._days.setdefault(school, {})
        for past in [past for past in days if past < oldest]:
            del days[past]
        if one.goes_on and day >= oldest:
            days[day] = one
        self._newest[school] = max(day, self._newest.get(school, day))

    def later(self, school: str, day: dt.date) -> bool:
        """Whether a later day than this was derived."""
        return self._newest.get(school, day) > day

    def drop_later(self, school: str, day: dt.date) -> None:
        """Days after one whose rows changed start from other states and names."""
        days = self._days.get(school, {})
        for following in [following for following in days if following > day]:
            del days[following]

    def clear(self) -> None:
        """Forget all."""
        self._days.clear()
        self._newest.clear()

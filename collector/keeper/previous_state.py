"""Where each device's state stood before a day, from the rows of the days before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

from collector.keeper.devices import DeviceKey
from collector.keeper.fields import text
from collector.keeper.midnight import midnight
from collector.keeper.observations import Known, words_of
from collector.keeper.state import RULE, Rule
from collector.keeper.stateful import MARK, STATE_FIELDS, state_of
from collector.store.base import Point, Store

#: A PC that reports has rows every day; one that comes back from a holiday has them before it.
_NEAR, _FAR = dt.timedelta(days=7), dt.timedelta(days=120)
_AHEAD = dt.timedelta(days=14)


class Carried:
    """Reads from the store once a school and day, and remembers: today is derived every minute."""

    def __init__(self, store: Store, rule: Rule = RULE) -> None:
        self._store = store
        self.rule = rule
        self._known: dict[str, tuple[dt.date, dict[DeviceKey, Known]]] = {}
        self._asked: dict[str, set[str]] = {}

    def before(
        self, school: str, day: dt.date, machines: Collection[str]
    ) -> Mapping[DeviceKey, Known]:
        """The devices of these PCs as the days before `day` left them.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        cached = self._known.get(school)
        if cached is None or cached[0] != day:
            known = self._read(school, day - _NEAR, day)
            self._known[school] = day, known
            self._asked[school] = {key[1] for key in known}
        known, asked = self._known[school][1], self._asked[school]
        unheard = sorted(set(machines) - asked)
        if unheard:
            known |= self._read(school, day - _FAR, day, unheard)
            asked |= set(unheard)
        return {key: one for key, one in known.items() if key[1] in machines}

    def changed(self, school: str, day: dt.date) -> dt.date | None:
        """The rows of `day` changed: forget what was built on them.

        Returns the next day with rows, which must be derived anew; None where there is none.
        """
        cached = self._known.get(school)
        if cached is not None and cached[0] > day:
            del self._known[school]
        start, stop = midnight(day + dt.timedelta(days=1)), midnight(day + _AHEAD)
        rows = self._store.read("device_day", start, stop, {"school": school}, [MARK])
        first = min((point.time for point in rows), default=None)
        return None if first is None else day + _whole_days(first - midnight(day))

    def _read(
        self, school: str, first: dt.date, day: dt.date, machines: Collection[str] = ()
    ) -> dict[DeviceKey, Known]:
        tags: dict[str, str | Collection[str]] = {"school": school}
        if machines:
            tags["machine"] = machines
        fields = [*STATE_FIELDS, "connector", "maker", "model", "serial"]
        rows = self._store.read("device_day", midnight(first), midnight(day), tags, fields)
        found: dict[DeviceKey, Known] = {}
        for point in rows:  # oldest first: the last one holds
            if MARK in point.fields:
                found[_key(point)] = _known(point)
        return found


def _known(point: Point) -> Known:
    fields = point.fields
    connector, kind = text(fields, "connector"), point.tags.get("kind", "")
    return Known(state_of(fields), kind, connector, words_of(point))


def _key(point: Point) -> DeviceKey:
    return point.tags["school"], point.tags["machine"], point.tags["device"]


def _whole_days(nanoseconds: int) -> dt.timedelta:
    return dt.timedelta(days=round(nanoseconds / 86_400e9))

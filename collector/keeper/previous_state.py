"""Each device's state at the end of the days before, read from the stored `device_day` rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

import msgspec

from collector.keeper.devices import DeviceKey
from collector.keeper.fields import text
from collector.keeper.machines import MachineKey
from collector.keeper.midnight import midnight
from collector.keeper.observations import Known, words_of
from collector.keeper.sightings import latest
from collector.keeper.state import RULE, Rule
from collector.keeper.stateful import MARK, STATE_FIELDS, state_of
from collector.store import Point, Store

#: How far back to read. A PC in daily use has rows within the last week; for one that comes back
#: from a holiday, the rows are older.
_NEAR, _FAR = dt.timedelta(days=7), dt.timedelta(days=120)
#: How far back to look for the hostname of a PC that was not started that day.
_NAMED = dt.timedelta(days=30)
#: How far ahead to look for the next day that has rows.
_AHEAD = dt.timedelta(days=14)
_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(dict[str, Known])


class PreviousState:
    """Reads the store once for each school and day and keeps it, packed, for PCs still to come."""

    def __init__(self, store: Store, rule: Rule = RULE) -> None:
        self._store = store
        self.rule = rule
        self._cache: dict[str, tuple[dt.date, dict[str, bytes]]] = {}  # by machine, packed

    def before(
        self, school: str, day: dt.date, machines: Collection[str]
    ) -> Mapping[DeviceKey, Known]:
        """The devices of these PCs as the days before `day` left them.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        if not machines:
            return {}
        cached = self._cache.get(school)
        if cached is None or cached[0] != day:
            cached = self._cache[school] = day, _packed(self._read(school, day - _NEAR, day))
        known = cached[1]
        if unread := sorted(set(machines) - known.keys()):
            known |= _packed(self._read(school, day - _FAR, day, unread), unread)
        return {
            (school, machine, device): one
            for machine in machines
            for device, one in _DECODER.decode(known[machine]).items()
        }

    def names(
        self, school: str, day: dt.date, pcs: Collection[MachineKey]
    ) -> dict[MachineKey, str]:
        """The last hostname, before `day`, of each of a school's PCs; empty: none is known.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        found = dict.fromkeys(pcs, "")
        if pcs:
            tags = {"school": school, "machine": [machine for _, machine in pcs]}
            first, stop = midnight(day - _NAMED), midnight(day)
            for point in self._store.read("machine_day", first, stop, tags, ["hostname"]):
                found[school, point.tags["machine"]] = str(point.fields["hostname"])
        return found

    def clear(self) -> None:
        """Forget what was read."""
        self._cache.clear()

    def changed(self, school: str, day: dt.date) -> dt.date | None:
        """Call after the rows of `day` changed: drops the cached state that was read from them.

        Returns the next day that has rows, which must be derived again; None if there is none.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        cached = self._cache.get(school)
        if cached is not None and cached[0] > day:
            del self._cache[school]
        start, stop = midnight(day + dt.timedelta(days=1)), midnight(day + _AHEAD)
        rows = self._store.read("machine_day", start, stop, {"school": school}, ["seen"])
        first = min((point.time for point in rows), default=None)
        return None if first is None else day + _whole_days(first - midnight(day))

    def _read(
        self, school: str, first: dt.date, day: dt.date, machines: Collection[str] = ()
    ) -> dict[DeviceKey, Known]:
        tags: dict[str, str | Collection[str]] = {"school": school}
        if machines:
            tags["machine"] = machines
        fields = [*STATE_FIELDS, "connector", "maker", "model", "serial", "sightings"]
        rows = self._store.read("device_day", midnight(first), midnight(day), tags, fields)
        found: dict[DeviceKey, Known] = {}
        for point in rows:  # oldest first, so the newest row wins
            if MARK in point.fields:
                found[_key(point)] = _known(point)
        return found


def _packed(found: Mapping[DeviceKey, Known], machines: Collection[str] = ()) -> dict[str, bytes]:
    """The devices of each machine, also of those of `machines` that have none."""
    by_machine: dict[str, dict[str, Known]] = {machine: {} for machine in machines}
    for (_, machine, device), known in found.items():
        by_machine.setdefault(machine, {})[device] = known
    return {machine: _ENCODER.encode(known) for machine, known in by_machine.items()}


def _known(point: Point) -> Known:
    fields = point.fields
    connector, kind = text(fields, "connector"), point.tags.get("kind", "")
    display = latest(text(fields, "sightings"))
    return Known(state_of(fields), kind, connector, words_of(point), display)


def _key(point: Point) -> DeviceKey:
    return point.tags["school"], point.tags["machine"], point.tags["device"]


def _whole_days(nanoseconds: int) -> dt.timedelta:
    return dt.timedelta(days=round(nanoseconds / 86_400e9))

"""One device is one device: the room for which one counts that several rooms saw. Pure.

An identity that several rooms saw is at least as many devices as rooms saw it at one time, else
one. It counts for that many rooms: those that saw it on the most days of the window. Of rooms with
equally many days, of which not all can have one, none counts.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from collector.compliance.displays import Display
from collector.compliance.rooms import RoomKey, Rooms
from collector.compliance.window import Windows


@dataclass(frozen=True, slots=True)
class Shared:
    """A device that several rooms saw in a window, in one school or in several."""

    identity: str
    kind: str
    days: Mapping[RoomKey, int]  # how many days each room saw it
    at_once: int  # the most rooms that saw it at one time; 1: never two
    homes: frozenset[RoomKey]  # the rooms for which it counts

    @property
    def schools(self) -> set[str]:
        """Codes of the schools that saw it."""
        return {school for school, _ in self.days}


class Homes:
    """The devices that several rooms saw, from all of the evidence."""

    def __init__(self, rooms: Rooms, windows: Windows) -> None:
        self._windows = windows
        self._sightings = _sightings(rooms, _in_several(rooms))
        self._found: dict[tuple[str, dt.date], Shared | None] = {}

    def identities(self) -> Collection[str]:
        """The identities of such devices."""
        return self._sightings.keys()

    def all(self, last: dt.date) -> Iterator[Shared]:
        """Where such devices were in the window that ends with `last`, by identity."""
        for identity in sorted(self._sightings):
            if shared := self.of(identity, last):
                yield shared

    def any_of(self, displays: Iterable[Display]) -> bool:
        """Whether any of the displays was seen in several rooms."""
        return any(one.identity in self._sightings for one in displays)

    def counts(self, identity: str, room: RoomKey, last: dt.date) -> bool:
        """Whether the device counts for the room in the window that ends with `last`."""
        if identity not in self._sightings:
            return True
        found = self.of(identity, last)
        return found is None or room in found.homes

    def of(self, identity: str, last: dt.date) -> Shared | None:
        """Where the device was in the window that ends with `last`; None unless in several rooms.

        The window is that of the calendar, also for schools that opened during it: they may share
        a device with others.
        """
        key = identity, last
        if key not in self._found:
            first = self._windows.first(last)
            seen = [row for row in self._sightings.get(identity, ()) if first <= row[0] <= last]
            self._found[key] = _shared(identity, seen)
        return self._found[key]


def seen_in_several(
    rooms: Rooms, windows: Windows, last: dt.date
) -> Mapping[str, tuple[Shared, ...]]:
    """The devices that several rooms saw in the window, by each school that saw them."""
    found: dict[str, list[Shared]] = defaultdict(list)
    for shared in Homes(rooms, windows).all(last):
        for school in shared.schools:
            found[school].append(shared)
    return {school: tuple(rows) for school, rows in sorted(found.items())}


_Sighting = tuple[dt.date, RoomKey, str, int]  # day, room, kind, half hours


def _in_several(rooms: Rooms) -> set[str]:
    """The identities that more than one room ever saw."""
    seen_in: dict[str, RoomKey] = {}
    several: set[str] = set()
    for key, room in rooms.items():
        for identity in {one.identity for day in set(room.displays) for one in day}:
            if identity and seen_in.setdefault(identity, key) != key:
                several.add(identity)
    return several


def _sightings(rooms: Rooms, several: set[str]) -> Mapping[str, list[_Sighting]]:
    found: dict[str, list[_Sighting]] = {identity: [] for identity in several}
    if not several:
        return found
    for key, room in rooms.items():
        for day, displays in zip(room.days, room.displays, strict=True):
            for one in displays:
                if one.identity in several:
                    found[one.identity].append((day, key, one.kind, one.half_hours))
    return found


def _shared(identity: str, seen: list[_Sighting]) -> Shared | None:
    days = Counter(key for _, key in {(day, key) for day, key, _, _ in seen})
    if len(days) < 2:
        return None
    at_once, ranked = _at_once(seen), sorted(days.values())
    homes = frozenset(
        key for key, own in days.items() if len(ranked) - bisect_left(ranked, own) <= at_once
    )
    kind = max(kind for _, _, kind, _ in seen)
    return Shared(identity, kind, dict(sorted(days.items())), at_once, homes)


def _at_once(seen: Iterable[_Sighting]) -> int:
    """The most rooms that saw it in one half hour."""
    rooms: dict[tuple[dt.date, int], set[RoomKey]] = defaultdict(set)
    for day, key, _, half_hours in seen:
        while half_hours:
            lowest = half_hours & -half_hours
            rooms[day, lowest].add(key)
            half_hours ^= lowest
    return max((len(keys) for keys in rooms.values()), default=1)

"""Finds the rooms whose older rows decide where a device that moves belongs.

Each room's window is read anyway. But a yes of an earlier day depends on the rooms that had the
same device in that day's window: these are found by the list of each school's displays in
`school_day`, as all rows of all rooms would be too many.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

import msgspec

from agent.common.calendar import midnight_ns
from collector.compliance.model import RoomDay
from collector.compliance.rooms import RoomKey, displays_of
from collector.compliance.window import Windows
from collector.config import Figure as Settings
from collector.roster.register import Register
from collector.store import Store

Places = Mapping[str, set[RoomKey]]  # identity -> rooms that saw it


def written(rooms: Mapping[str, Collection[str]]) -> str:
    """The field `display_rooms` of `school_day`: identity -> rooms, as JSON."""
    listed = {identity: sorted(names) for identity, names in sorted(rooms.items())}
    return msgspec.json.encode(listed).decode() if listed else ""


def places(
    store: Store, start: int, stop: int, identities: Collection[str] | None = None
) -> Places:
    """The rooms that saw each of the identities, or any, on days from `start` to before `stop`.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    found: dict[str, set[RoomKey]] = defaultdict(set)
    wanted = None if identities is None else re.compile("|".join(sorted(identities)))
    last: dict[str, str] = {}  # a school's text is the same on most days
    if start >= stop or (wanted and not identities):
        return found
    for point in store.read("school_day", start, stop, None, ["display_rooms"]):
        school, text = point.tags.get("school", ""), str(point.fields.get("display_rooms") or "")
        if not text or last.get(school) == text or (wanted and not wanted.search(text)):
            continue
        last[school] = text
        for identity, rooms in msgspec.json.decode(text, type=dict[str, list[str]]).items():
            if identities is None or identity in identities:
                found[identity].update((school, room) for room in rooms)
    return found


def moved(
    store: Store, window: Iterable[RoomDay], windows: Windows, cutoff: dt.date
) -> set[RoomKey]:
    """The rooms of devices that the window, with the window before it, shows in several rooms.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    first = windows.first(cutoff)
    found: dict[str, set[RoomKey]] = defaultdict(set)
    before = places(store, midnight_ns(windows.first(first)), midnight_ns(first))
    for identity, rooms in [*before.items(), *_places_of(window).items()]:
        found[identity] |= rooms
    return {room for rooms in found.values() if len(rooms) > 1 for room in rooms}


def elsewhere(
    store: Store,
    rows: Iterable[RoomDay],
    shared: Collection[RoomKey],
    register: Register,
    settings: Settings,
    stop: int,
) -> set[RoomKey]:
    """The rooms that saw, before `stop`, the devices of these rooms' rows.

    Besides the rooms known to be `shared`, those matter that once said no, or where an inspection
    did: in all others a yes of long ago changes nothing.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    rows = list(rows)
    required = frozenset(settings.required)
    lacking = Counter((row.school, row.room) for row in rows if not required <= _pieces(row))
    denied = {row.school for row in register.inspections if not row.found}
    matter = [
        row
        for row in rows
        if row.school in denied
        or (row.school, row.room) in shared
        or lacking[row.school, row.room] >= settings.min_room_days
    ]
    found = places(store, 0, stop, _places_of(matter).keys())
    return {room for rooms in found.values() for room in rooms}


def _pieces(row: RoomDay) -> frozenset[str]:
    shown = {"computer", "display"} if displays_of(row) else {"computer"}
    return (row.seen - {"display"}) | shown


def _places_of(rows: Iterable[RoomDay]) -> Places:
    found: dict[str, set[RoomKey]] = defaultdict(set)
    for row in rows:
        for one in displays_of(row) if row.displays else ():
            if one.identity:
                found[one.identity].add((row.school, row.room))
    return found

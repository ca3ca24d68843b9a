"""Each room's days in order, from the rows of the store. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter

from collector.compliance import displays
from collector.compliance.displays import Display, Displays
from collector.compliance.model import RoomDay

RoomKey = tuple[str, str]  # school, room


@dataclass(slots=True)
class RoomDays:
    """The days on which a room's PCs reported, oldest first, with what was seen on each."""

    days: list[dt.date] = field(default_factory=list)
    seen: list[frozenset[str]] = field(default_factory=list)  # without displays, see below
    displays: list[Displays] = field(default_factory=list)
    together: list[int] = field(default_factory=list)  # most PCs in one same hour
    simulated: bool = False


Rooms = Mapping[RoomKey, RoomDays]
SILENT = RoomDays()
#: What a row says that lists no displays, by whether it saw one: those of older keepers.
_UNLISTED = {True: (Display("", "projector"),), False: ()}


def by_room(rows: Iterable[RoomDay], cutoff: dt.date) -> Rooms:
    """The rows up to the cut-off by (school, room), without days on which no PC reported."""
    found: dict[RoomKey, RoomDays] = defaultdict(RoomDays)
    reported = (row for row in rows if row.day <= cutoff and (row.pcs or "computer" in row.seen))
    for row in sorted(reported, key=attrgetter("day")):
        _add(found[row.school, row.room], row)
    return found


def displays_of(row: RoomDay) -> Displays:
    """The displays of a row."""
    if row.displays is None:
        return _UNLISTED["display" in row.seen]
    return displays.read(row.displays)


@lru_cache(maxsize=1 << 5)  # there are no more sets of what a row says
def _with_computer(seen: frozenset[str]) -> frozenset[str]:
    return seen | {"computer"}


def _add(room: RoomDays, row: RoomDay) -> None:
    room.simulated |= row.simulated
    seen = _with_computer(row.seen)
    if room.days and room.days[-1] == row.day:  # one day in two series: the district changed
        room.seen[-1] |= seen
        room.displays[-1] = displays.both(room.displays[-1], displays_of(row))
        room.together[-1] = max(room.together[-1], row.together)
        return
    room.days.append(row.day)
    room.seen.append(seen)
    room.displays.append(displays_of(row))
    room.together.append(row.together)

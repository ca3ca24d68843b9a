"""Each room's days in order, from the rows of the store. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from collector.compliance.model import RoomDay


@dataclass(slots=True)
class RoomDays:
    """The days on which a room's PCs reported, oldest first, with what was seen on each."""

    days: list[dt.date] = field(default_factory=list)
    seen: list[frozenset[str]] = field(default_factory=list)
    together: list[int] = field(default_factory=list)  # most PCs in one same hour
    simulated: bool = False


Rooms = Mapping[tuple[str, str], RoomDays]
SILENT = RoomDays()


def by_room(rows: Iterable[RoomDay], cutoff: dt.date) -> Rooms:
    """The rows up to the cut-off by (school, room), without days on which no PC reported."""
    found: dict[tuple[str, str], RoomDays] = defaultdict(RoomDays)
    reported = (row for row in rows if row.day <= cutoff and (row.pcs or "computer" in row.seen))
    for row in sorted(reported, key=lambda row: row.day):
        _add(found[row.school, row.room], row)
    return found


def _add(room: RoomDays, row: RoomDay) -> None:
    room.simulated |= row.simulated
    seen = row.seen | {"computer"}
    if room.days and room.days[-1] == row.day:  # one day in two series: the district changed
        room.seen[-1] |= seen
        room.together[-1] = max(room.together[-1], row.together)
        return
    room.days.append(row.day)
    room.seen.append(seen)
    room.together.append(row.together)

"""Evidence school by school, with what other schools' rooms say of a device that they share. Pure.

A device counts for one room only, so a school cannot be judged quite alone. All else of a school is
decided by its own rows.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from collector.compliance import displays
from collector.compliance.model import Evidence, LineRecord, LineTest, RoomDay
from collector.compliance.rooms import RoomKey
from collector.roster.register import School

#: A room's day: school, room, and its displays as `room_day` has them.
Seen = tuple[str, str, str]


def shared_rooms(seen: Iterable[Seen]) -> Mapping[str, frozenset[RoomKey]]:
    """By school: the rooms of other schools that saw a device which one of its rooms saw."""
    found: dict[str, set[RoomKey]] = defaultdict(set)
    for keys in _in_several_schools(seen):
        for school in {code for code, _ in keys}:
            found[school] |= {key for key in keys if key[0] != school}
    return {school: frozenset(keys) for school, keys in found.items()}


def _in_several_schools(seen: Iterable[Seen]) -> Iterable[set[RoomKey]]:
    """For each device that several schools saw, the rooms that saw it."""
    first: dict[str, RoomKey] = {}
    rooms: dict[str, set[RoomKey]] = {}
    known: set[Seen] = set()  # most days of a room are alike
    for row in seen:
        if row in known:
            continue
        known.add(row)
        key = row[0], row[1]
        for one in displays.read(row[2]):
            if one.identity and first.setdefault(one.identity, key) != key:
                rooms.setdefault(one.identity, {first[one.identity]}).add(key)
    return (keys for keys in rooms.values() if len({school for school, _ in keys}) > 1)


def split(
    evidence: Evidence, schools: Sequence[School], first: dt.date, last: dt.date
) -> Iterator[tuple[School, Evidence]]:
    """Each school's evidence, from that of all; `first` to `last` is the window.

    Of other schools' rooms only the window's rows come with it, as they do from the store.
    """
    rooms: dict[str, list[RoomDay]] = defaultdict(list)
    tests: dict[str, list[LineTest]] = defaultdict(list)
    records: dict[str, list[LineRecord]] = defaultdict(list)
    for row in evidence.room_days:
        rooms[row.school].append(row)
    for test in evidence.line_tests:
        tests[test.school].append(test)
    for record in evidence.line_records:
        records[record.school].append(record)
    window = [row for row in evidence.room_days if row.displays and first <= row.day <= last]
    shared = shared_rooms((row.school, row.room, row.displays or "") for row in window)
    others = of_rooms(window, frozenset(chain.from_iterable(shared.values())))
    for school in schools:
        code = school.code
        foreign = [row for key in sorted(shared.get(code, ())) for row in others[key]]
        yield school, Evidence([*rooms[code], *foreign], tests[code], records[code])


def of_rooms(
    rows: Iterable[RoomDay], keys: frozenset[RoomKey]
) -> Mapping[RoomKey, Sequence[RoomDay]]:
    """The rows of these rooms, by room."""
    found: dict[RoomKey, list[RoomDay]] = {key: [] for key in keys}
    for row in rows if keys else ():
        if (key := (row.school, row.room)) in found:
            found[key].append(row)
    return found

"""Evidence school by school, with what other schools' rooms say of a device that they share. Pure.

A device counts for one room only, so a school cannot be judged quite alone. All else of a school is
decided by its own rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeVar

from collector.compliance import displays
from collector.compliance.model import Evidence, LineRecord, LineTest, RoomDay
from collector.compliance.rooms import RoomKey
from collector.roster.register import School

#: A room's day: school, room, and its displays as `room_day` has them.
Seen = tuple[str, str, str]
_Row = TypeVar("_Row", RoomDay, LineTest, LineRecord)


@lru_cache(maxsize=1 << 16)  # a room's text is the same on most days
def identities_of(text: str | None) -> frozenset[str]:
    """The identities of the displays of a stored text."""
    return frozenset(one.identity for one in displays.read(text or "") if one.identity)


def places_of(seen: Iterable[Seen]) -> dict[str, set[RoomKey]]:
    """The rooms that saw each device."""
    found: dict[str, set[RoomKey]] = {}
    for school, room, text in seen:
        for identity in identities_of(text):
            found.setdefault(identity, set()).add((school, room))
    return found


def split(evidence: Evidence, schools: Sequence[School]) -> Iterator[tuple[School, Evidence]]:
    """Each school's evidence, from that of all."""
    rooms, tests, records = (
        _by_school(evidence.room_days),
        _by_school(evidence.line_tests),
        _by_school(evidence.line_records),
    )
    others = _Others(evidence.room_days)
    for school in schools:
        code = school.code
        own = rooms.get(code, [])
        found = Evidence([*own, *others.of(code, own)], tests.get(code, []), records.get(code, []))
        yield school, found


class _Others:
    """Rows of rooms that saw a device which several schools saw."""

    def __init__(self, rows: Sequence[RoomDay]) -> None:
        listed = ((row.school, row.room, row.displays) for row in rows if row.displays)
        self._places = {
            identity: keys
            for identity, keys in places_of(listed).items()
            if len({school for school, _ in keys}) > 1
        }
        wanted = {key for keys in self._places.values() for key in keys}
        self._rows: dict[RoomKey, list[RoomDay]] = defaultdict(list)
        for row in rows if wanted else ():
            if (row.school, row.room) in wanted:
                self._rows[row.school, row.room].append(row)

    def of(self, code: str, own: Iterable[RoomDay]) -> Iterator[RoomDay]:
        """Other schools' rows for a school with these."""
        if not self._places:
            return
        identities = {name for row in own for name in identities_of(row.displays)}
        for key in sorted({key for name in identities for key in self._places.get(name, ())}):
            if key[0] != code:
                yield from self._rows[key]


def _by_school(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = {}
    for row in rows:
        found.setdefault(row.school, []).append(row)
    return found

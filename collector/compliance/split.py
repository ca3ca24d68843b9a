"""Evidence school by school, with what other schools' rooms say of a device that they share. Pure.

A device counts for one room only, so a school cannot be judged quite alone. All else of a school is
decided by its own rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from collector.compliance.model import DoubtDay, Evidence, LineRecord, LineTest, RoomDay
from collector.compliance.rooms import RoomKey
from collector.roster.register import School

#: The identity of a device, and a room that saw it.
Seen = tuple[str, RoomKey]
_Row = TypeVar("_Row", RoomDay, LineTest, LineRecord, DoubtDay)


def identities_of(text: str) -> Iterator[str]:
    """The identities of the displays of a stored text, see `displays.written`."""
    for part in text.split(","):
        identity = part.partition(":")[0]
        if identity:
            yield identity


def in_several(seen: Iterable[Seen]) -> Mapping[str, set[RoomKey]]:
    """Of the devices that several rooms saw: all rooms that did."""
    first: dict[str, RoomKey] = {}
    several: dict[str, set[RoomKey]] = {}
    for identity, key in seen:
        known = first.setdefault(identity, key)
        if known != key:
            several.setdefault(identity, {known}).add(key)
    return several


def split(evidence: Evidence, schools: Sequence[School]) -> Iterator[tuple[School, Evidence]]:
    """Each school's evidence, from that of all."""
    rooms, tests, records = (
        _by_school(evidence.room_days),
        _by_school(evidence.line_tests),
        _by_school(evidence.line_records),
    )
    doubts = _by_school(evidence.doubt_days)
    others = _Others(evidence.room_days)
    for school in schools:
        code = school.code
        own = rooms.get(code, [])
        rows = [*own, *others.of(code, own)]
        tried = tests.get(code, []), records.get(code, [])
        yield school, Evidence(rows, *tried, doubt_days=doubts.get(code, []))


class _Others:
    """Rows of rooms that saw a device which several rooms saw."""

    def __init__(self, rows: Sequence[RoomDay]) -> None:
        seen = (
            (identity, (row.school, row.room))
            for row in rows
            if row.displays
            for identity in identities_of(row.displays)
        )
        self._places = in_several(seen)
        wanted = {key for keys in self._places.values() for key in keys}
        self._rows: dict[RoomKey, list[RoomDay]] = defaultdict(list)
        for row in rows if wanted else ():
            if (row.school, row.room) in wanted:
                self._rows[row.school, row.room].append(row)

    def of(self, code: str, own: Iterable[RoomDay]) -> Iterator[RoomDay]:
        """Other schools' rows for a school with these."""
        if not self._places:
            return
        identities = {name for row in own for name in identities_of(row.displays or "")}
        for key in sorted({key for name in identities for key in self._places.get(name, ())}):
            if key[0] != code:
                yield from self._rows[key]


def _by_school(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = {}
    for row in rows:
        found.setdefault(row.school, []).append(row)
    return found

"""Reads the evidence of a figure from the store: every school's window, and older rows if needed.

A no counts until a later yes, however old it is. So for rooms and lines that their window leaves
undecided, all older rows are read too. The figure is the same as from the whole store, and in a
city where most PCs report little more than the windows is read.

Schools are read some at a time, so memory does not grow with the city.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain
from typing import TypeVar

import msgspec

from agent.common.calendar import midnight_ns
from collector.compliance.computer_room import computer_rooms
from collector.compliance.figure import exists_on
from collector.compliance.lines import SPEAKS, by_line
from collector.compliance.model import DoubtDay, Evidence, LineRecord, LineTest, RoomDay
from collector.compliance.multimedia import Multimedia
from collector.compliance.places import places
from collector.compliance.reader import Key, Reader
from collector.compliance.rooms import by_room
from collector.compliance.school_line import Judging, bundles_of
from collector.compliance.split import identities_of, in_several
from collector.compliance.window import ONE_DAY, Windows
from collector.config import Figure as Settings
from collector.indicator_settings import thresholds
from collector.roster.register import Register, School
from collector.store import Store

_Row = TypeVar("_Row", RoomDay, LineTest, LineRecord, DoubtDay)
#: Schools per query: one for a whole city would be too long.
_SCHOOLS = 50


def load(store: Store, register: Register, settings: Settings, cutoff: dt.date) -> Evidence:
    """All evidence that the figure of this cut-off can depend on, without uncertain rows.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    rooms: dict[RoomDay, None] = {}  # those of a shared device come with several schools
    tests: list[LineTest] = []
    records: list[LineRecord] = []
    doubts: list[DoubtDay] = []
    for _, found in by_school(store, register, settings, cutoff):
        rooms.update(dict.fromkeys(found.room_days))
        tests += found.line_tests
        records += found.line_records
        doubts += found.doubt_days
    return Evidence(list(rooms), tests, records, store.simulated(), doubts)


def by_school(
    store: Store,
    register: Register,
    settings: Settings,
    cutoff: dt.date,
    only: Sequence[School] | None = None,
    *,
    tracing: bool = False,
) -> Iterator[tuple[School, Evidence]]:
    """The evidence of each school that counts, or of `only` these, in the register's order.

    With it come other schools' rows of rooms that share a device with the school; with `tracing`
    all tests of its lines, to say which no of theirs was ended long ago.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`, also while iterating.
    """
    reading = _Reading(store, register, settings, cutoff, tracing=tracing)
    schools = iter(reading.counted if only is None else only)
    while part := list(itertools.islice(schools, _SCHOOLS)):
        yield from reading.of(part)


class _Reading:
    """What all parts of one reading need."""

    def __init__(
        self,
        store: Store,
        register: Register,
        settings: Settings,
        cutoff: dt.date,
        *,
        tracing: bool,
    ) -> None:
        self._tracing = tracing
        self._register, self._settings, self._cutoff = register, settings, cutoff
        self._windows = Windows(register.calendar, settings)
        self._store, self._rows = store, dict[Key, Sequence[RoomDay]]()
        self._start = midnight_ns(self._windows.first(cutoff))
        self._window = Reader(store, self._start, midnight_ns(cutoff + ONE_DAY))
        self._past = Reader(store, 0, self._start)
        # A long test before the window may tell what a short one in it is worth.
        since = max(0, self._start - SPEAKS // dt.timedelta(microseconds=1) * 1000)
        self._tried = Reader(store, since, midnight_ns(cutoff + ONE_DAY))
        self._tried_before = Reader(store, 0, since)
        self.counted = [
            row
            for row in register.schools.values()
            if row.type in settings.types and exists_on(row, cutoff)
        ]

    @cached_property
    def _places(self) -> Mapping[str, set[Key]]:
        """The rooms that saw each device which several rooms ever saw.

        Of the window by the rows themselves; before it by each school's list in `school_day`, as
        all rows of all rooms would be too many.
        """
        if "display" not in self._settings.required:
            return {}
        return in_several(chain(places(self._store, 0, self._start), self._window.devices()))

    def of(self, part: Sequence[School]) -> Iterator[tuple[School, Evidence]]:
        """The evidence of some schools."""
        tags = {"school": [school.code for school in part]}
        rooms = _by_school(self._window.room_days(tags))
        tests = _by_school(self._tried.line_tests(tags))
        records = _by_school(self._tried.line_records(tags))
        doubts = _by_school(self._window.doubt_days(tags))
        for school in part:
            code = school.code
            seen, tried = rooms.pop(code, []), (tests.pop(code, []), records.pop(code, []))
            found = self._whole(school, seen, Evidence(self._with_shared(seen), *tried))
            yield school, replace(found, doubt_days=doubts.get(code, ()))

    def _whole(self, school: School, seen: Sequence[RoomDay], window: Evidence) -> Evidence:
        """The window's evidence with the older rows of what it leaves undecided."""
        rooms, lines = self._open_rooms(school, window), self._open_lines(school, window)
        past = self._tried_before
        older = list(self._past.room_days_of(rooms))
        return Evidence(
            self._with_shared([*older, *seen]) if older else window.room_days,
            [*past.line_tests_of(lines), *window.line_tests],
            [*past.line_records_of(lines), *window.line_records],
        )

    def _with_shared(self, rows: Sequence[RoomDay]) -> Sequence[RoomDay]:
        """The rows, and all of every room that ever saw a device which they name."""
        identities = {name for row in rows for name in identities_of(row.displays or "")}
        keys = {key for name in identities for key in self._places.get(name, ())}
        if not keys:
            return rows
        others = chain.from_iterable(self._ever(key) for key in sorted(keys))
        return list(dict.fromkeys([*rows, *others]))

    def _ever(self, key: Key) -> Sequence[RoomDay]:
        """All rows of a room that shares a device."""
        if key not in self._rows:
            self._rows[key] = [*self._past.room_days_of({key}), *self._window.room_days_of({key})]
        return self._rows[key]

    def _open_rooms(self, school: School, window: Evidence) -> set[Key]:
        """Rooms that the window leaves undecided.

        Only the window up to the cut-off is judged: for windows that end earlier, the rows before
        the window are not read yet.

        A computer room's older rows matter only if an inspection may be older still.
        """
        register, code = self._register, school.code
        rooms = by_room(window.room_days, self._cutoff)
        judging = Multimedia(register, rooms, self._windows, self._settings, self._cutoff)
        taught = {room for row in register.classes_of.get(code, ()) for room in row.rooms}
        found = {(code, room) for room in taught if judging.leaves_open(school, room)}
        visits = register.inspections_of.get(code, ())
        if any(row.indicator == "computer_room" for row in visits):
            found |= {(code, room.room) for room in computer_rooms(register, code)}
        return found

    def _open_lines(self, school: School, window: Evidence) -> set[Key]:
        """Lines of bundles that the window leaves undecided, by any threshold in use."""
        if self._tracing:
            return {(row.school, row.line) for row in self._register.lines_of.get(school.code, ())}
        register, cutoff = self._register, self._cutoff
        lines = by_line(window.line_tests, window.line_records, register, cutoff)
        found: set[Key] = set()
        for mbps in thresholds(self._settings):
            rules = msgspec.structs.replace(self._settings, threshold_mbps=mbps)
            judging = Judging(register, lines, self._windows, rules, cutoff)
            for bundle in bundles_of(register, school.code, rules):
                if judging.bundle(school, bundle).now is None:
                    found |= {(school.code, line.line) for line in bundle}
        return found


def _by_school(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        found[row.school].append(row)
    return dict(found)

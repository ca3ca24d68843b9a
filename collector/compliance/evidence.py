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

from agent.common.calendar import midnight_ns
from collector.compliance.displays import read
from collector.compliance.figure import exists_on
from collector.compliance.lines import SPEAKS
from collector.compliance.model import DoubtDay, Evidence, LineRecord, LineTest, RoomDay
from collector.compliance.places import places
from collector.compliance.reader import Key, Reader, Tags
from collector.compliance.schools import Schools
from collector.compliance.split import Seen, in_several
from collector.compliance.window import ONE_DAY, Windows
from collector.config import Figure as Settings
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
    judged = judged_by_school(store, register, settings, cutoff, only, tracing=tracing)
    for school, few in judged:
        yield school, few.evidence


#: The rooms that saw each device which several rooms ever saw.
Shared = Mapping[str, set[Key]]


def shared(store: Store, register: Register, settings: Settings, cutoff: dt.date) -> Shared:
    """What `judged_by_school` reads of all schools, for who judges one school after another.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    return _Reading(store, register, settings, cutoff, tracing=False)._places


def judged_by_school(
    store: Store,
    register: Register,
    settings: Settings,
    cutoff: dt.date,
    only: Sequence[School] | None = None,
    *,
    tracing: bool = False,
    known: Shared | None = None,
) -> Iterator[tuple[School, Schools]]:
    """As `by_school`, with what is judged already to know which older rows count.

    `known`: what `shared` gave for this cut-off; None: it is read.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`, also while iterating.
    """
    reading = _Reading(store, register, settings, cutoff, tracing=tracing)
    if known is not None:
        reading._places = known
    elif only is not None and len(only) == 1:
        reading._places = reading.places_of(only[0])
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
    def _places(self) -> Shared:
        """The rooms that saw each device which several rooms ever saw.

        By each school's list of a day in `school_day`: rows of rooms are ten times as many.
        """
        return in_several(self._listed())

    def places_of(self, school: School) -> Shared:
        """As `_places`, of the devices that the school's rooms ever saw: no other is kept."""
        own = {identity for identity, _ in self._listed({"school": (school.code,)})}
        return in_several(seen for seen in self._listed() if seen[0] in own) if own else {}

    def _listed(self, tags: Tags | None = None) -> Iterator[Seen]:
        if "display" not in self._settings.required:
            return iter(())
        return places(self._store, 0, midnight_ns(self._cutoff + ONE_DAY), tags)

    def of(self, part: Sequence[School]) -> Iterator[tuple[School, Schools]]:
        """Some schools by all of their evidence, each by itself."""
        tags = {"school": [school.code for school in part]}
        rooms = _by_school(self._window.room_days(tags))
        tests = _by_school(self._tried.line_tests(tags))
        records = _by_school(self._tried.line_records(tags))
        doubts = _by_school(self._window.doubt_days(tags))
        for school in part:
            code = school.code
            seen, tried = rooms.pop(code, []), (tests.pop(code, []), records.pop(code, []))
            window = Evidence(self._with_shared(seen), *tried, doubt_days=doubts.get(code, ()))
            few = Schools(
                self._register, [school], window, self._windows, self._settings, self._cutoff,
                tracing=self._tracing,
            )  # fmt: skip
            yield school, self._whole(few, seen)

    def _whole(self, few: Schools, seen: Sequence[RoomDay]) -> Schools:
        """A school by its window's evidence and the older rows of what that leaves undecided.

        Only the window up to the cut-off is judged for this: for windows that end earlier, the
        rows before the window are not read yet.
        """
        rooms, lines, window = few.undecided_rooms(), few.undecided_lines(), few.evidence
        if not rooms and not lines:
            return few
        older = list(self._past.room_days_of(rooms))
        tests, records, past = window.line_tests, window.line_records, self._tried_before
        return few.with_older(
            replace(
                window,
                room_days=self._with_shared([*older, *seen]) if older else window.room_days,
                line_tests=[*past.line_tests_of(lines), *tests] if lines else tests,
                line_records=[*past.line_records_of(lines), *records] if lines else records,
            )
        )

    def _with_shared(self, rows: Sequence[RoomDay]) -> Sequence[RoomDay]:
        """The rows, and all of every room that ever saw a device which they name."""
        keys = {key for name in _identities(rows) for key in self._places.get(name, ())}
        if not keys:
            return rows
        others = chain.from_iterable(self._ever(key) for key in sorted(keys))
        known = {row for row in rows if (row.school, row.room) in keys}
        return [*rows, *(row for row in others if row not in known)]

    def _ever(self, key: Key) -> Sequence[RoomDay]:
        """All rows of a room that shares a device."""
        if key not in self._rows:
            self._rows[key] = [*self._past.room_days_of({key}), *self._window.room_days_of({key})]
        return self._rows[key]


def _identities(rows: Iterable[RoomDay]) -> set[str]:
    """Of every display that the rows name; most of them are written alike."""
    texts = {row.displays for row in rows if row.displays}
    return {one.identity for text in texts for one in read(text)}


def _by_school(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        found[row.school].append(row)
    return dict(found)

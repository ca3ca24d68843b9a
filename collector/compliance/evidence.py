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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TypeVar

import msgspec

from agent.common.calendar import midnight_ns
from collector.compliance.computer_room import computer_rooms
from collector.compliance.figure import exists_on
from collector.compliance.lines import by_line
from collector.compliance.model import Evidence, LineRecord, LineTest, RoomDay
from collector.compliance.multimedia import Multimedia
from collector.compliance.reader import Key, Reader
from collector.compliance.rooms import by_room
from collector.compliance.school_line import Judging, bundles_of
from collector.compliance.split import of_rooms, shared_rooms
from collector.compliance.window import ONE_DAY, Windows
from collector.config import Figure as Settings
from collector.indicator_settings import thresholds
from collector.roster.register import Register, School
from collector.store import Store

_Row = TypeVar("_Row", RoomDay, LineTest, LineRecord)
#: Schools per query: one for a whole city would be too long.
_SCHOOLS = 50


def load(store: Store, register: Register, settings: Settings, cutoff: dt.date) -> Evidence:
    """All evidence that the figure of this cut-off can depend on, without uncertain rows.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    rooms: list[RoomDay] = []
    tests: list[LineTest] = []
    records: list[LineRecord] = []
    for school, found in by_school(store, register, settings, cutoff):
        rooms += (row for row in found.room_days if row.school == school.code)
        tests += found.line_tests
        records += found.line_records
    return Evidence(rooms, tests, records, store.simulated())


def by_school(
    store: Store,
    register: Register,
    settings: Settings,
    cutoff: dt.date,
    only: Sequence[School] | None = None,
) -> Iterator[tuple[School, Evidence]]:
    """The evidence of each school that counts, or of `only` these, in the register's order.

    With it come other schools' rows of rooms that share a device with the school.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`, also while iterating.
    """
    reading = _Reading(store, register, settings, cutoff)
    schools = iter(reading.counted if only is None else only)
    shared = reading.shared() if "display" in settings.required else {}
    while part := list(itertools.islice(schools, _SCHOOLS)):
        yield from reading.of(part, shared)


class _Reading:
    """What all parts of one reading need."""

    def __init__(
        self, store: Store, register: Register, settings: Settings, cutoff: dt.date
    ) -> None:
        self._register, self._settings, self._cutoff = register, settings, cutoff
        self._windows = Windows(register.calendar, settings)
        start, stop = midnight_ns(self._windows.first(cutoff)), midnight_ns(cutoff + ONE_DAY)
        self._window, self._past = Reader(store, start, stop), Reader(store, 0, start)
        self.counted = [
            row
            for row in register.schools.values()
            if row.type in settings.types and exists_on(row, cutoff)
        ]

    def shared(self) -> Mapping[str, Sequence[RoomDay]]:
        """By school: the window's rows of other schools' rooms that share a device with it."""
        rooms = shared_rooms(self._window.displays())
        keys = frozenset(chain.from_iterable(rooms.values()))
        found = of_rooms(self._window.room_days_of(keys), keys)
        return {
            school: [row for key in sorted(others) for row in found[key]]
            for school, others in rooms.items()
        }

    def of(
        self, part: Sequence[School], shared: Mapping[str, Sequence[RoomDay]]
    ) -> Iterator[tuple[School, Evidence]]:
        """The evidence of some schools."""
        tags = {"school": [school.code for school in part]}
        rooms = _by_school(self._window.room_days(tags))
        tests = _by_school(self._window.line_tests(tags))
        records = _by_school(self._window.line_records(tags))
        windows = {}
        for school in part:
            code = school.code
            own = [*rooms.pop(code, ()), *shared.get(code, ())]
            windows[code] = Evidence(own, tests.pop(code, ()), records.pop(code, ()))
        past = self._before([(school, windows[school.code]) for school in part])
        for school in part:
            before, found = past(school.code), windows.pop(school.code)
            yield (
                school,
                Evidence(
                    [*before.room_days, *found.room_days],
                    [*before.line_tests, *found.line_tests],
                    [*before.line_records, *found.line_records],
                ),
            )

    def _before(self, windows: Sequence[tuple[School, Evidence]]) -> Callable[[str], Evidence]:
        """The older rows of what the windows leave undecided."""
        open_rooms: set[Key] = set()
        open_lines: set[Key] = set()
        for school, window in windows:
            open_rooms |= self._open_rooms(school, window)
            open_lines |= self._open_lines(school, window)
        rooms = _by_school(self._past.room_days_of(open_rooms))
        tests = _by_school(self._past.line_tests_of(open_lines))
        records = _by_school(self._past.line_records_of(open_lines))
        return lambda code: Evidence(
            rooms.get(code, ()), tests.get(code, ()), records.get(code, ())
        )

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
        register, cutoff = self._register, self._cutoff
        lines = by_line(window.line_tests, window.line_records, register.calendar, cutoff)
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

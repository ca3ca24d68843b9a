"""Reads the evidence of a figure from the store: every school's window, and older rows if needed.

A no counts until a later yes, however old it is. So for rooms and lines that their window leaves
undecided, all older rows are read too. The figure is the same as from the whole store, and in a
city where most PCs report little more than the windows is read.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from agent.common.calendar import local_day, midnight_ns
from collector.compliance.computer_room import computer_rooms
from collector.compliance.figure import exists_on
from collector.compliance.lines import by_line
from collector.compliance.model import Evidence, LineRecord, LineTest, RoomDay
from collector.compliance.multimedia import Multimedia
from collector.compliance.rooms import by_room
from collector.compliance.school_line import Judging, bundles_of
from collector.compliance.window import ONE_DAY, Windows
from collector.config import Figure as Settings
from collector.roster.register import Register, School
from collector.store import Point, Store

Key = tuple[str, str]  # school, and its room or line
_SEEN = ("computer", "display", "sound", "microphone", "camera")
_ROOM_FIELDS = ("pcs", "together", *_SEEN, "simulated")
_TEST_FIELDS = (
    "test", "outcome", "down_mbps", "payload_down", "seconds", "interface", "wired", "solo",
    "other_share", "server_limited", "reason", "simulated", "uncertain", "long", "burst",
    "pc_limited", "nic_mbps",
)  # fmt: skip
_RECORD_FIELDS = (
    "test", "outcome", "sent_bytes", "down_mbps", "solo", "simulated", "uncertain", "address",
)  # fmt: skip
_DAY = 86_400 * 10**9
#: Schools per query: one for a whole city would be too long.
_SCHOOLS = 50


def load(store: Store, register: Register, settings: Settings, cutoff: dt.date) -> Evidence:
    """All evidence that the figure of this cut-off can depend on, without uncertain rows.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    windows = Windows(register.calendar, settings)
    start, stop = midnight_ns(windows.first(cutoff)), midnight_ns(cutoff + ONE_DAY)
    reader = _Reader(store, start, stop)
    window = Evidence(
        list(reader.room_days()), list(reader.line_tests()), list(reader.line_records())
    )
    schools = [
        row
        for row in register.schools.values()
        if row.type in settings.types and exists_on(row, cutoff)
    ]
    rooms = _open_rooms(register, schools, window, windows, settings, cutoff)
    lines = _open_lines(register, schools, window, windows, settings, cutoff)
    past = _Reader(store, 0, start)
    return Evidence(
        [*past.room_days_of(rooms), *window.room_days],
        [*past.line_tests_of(lines), *window.line_tests],
        [*past.line_records_of(lines), *window.line_records],
        store.simulated(),
    )


def _open_rooms(
    register: Register,
    schools: Sequence[School],
    window: Evidence,
    windows: Windows,
    settings: Settings,
    cutoff: dt.date,
) -> set[Key]:
    """Rooms that the window leaves undecided.

    Only the window up to the cut-off is judged: for windows that end earlier, the rows before the
    window are not read yet.

    A computer room's older rows matter only if an inspection may be older still.
    """
    rooms = by_room(window.room_days, cutoff)
    multimedia = Multimedia(register, rooms, windows, settings, cutoff)
    visited = {row.school for row in register.inspections if row.indicator == "computer_room"}
    found: set[Key] = set()
    for school in schools:
        taught = {r for c in register.classes_of.get(school.code, ()) for r in c.rooms}
        for room in taught:
            if multimedia.leaves_open(school, room):
                found.add((school.code, room))
        if school.code in visited:
            found |= {(school.code, r.room) for r in computer_rooms(register, school.code)}
    return found


def _open_lines(
    register: Register,
    schools: Sequence[School],
    window: Evidence,
    windows: Windows,
    settings: Settings,
    cutoff: dt.date,
) -> set[Key]:
    """Lines of bundles that the window leaves undecided."""
    lines = by_line(window.line_tests, window.line_records, register, cutoff)
    judging = Judging(register, lines, windows, settings, cutoff)
    found: set[Key] = set()
    for school in schools:
        for bundle in bundles_of(register, school.code, settings):
            if judging.bundle(school, bundle).now is None:
                found |= {(school.code, line.line) for line in bundle}
    return found


class _Reader:
    """Reads the rows with start <= time < stop, ns since 1970 UTC."""

    def __init__(self, store: Store, start: int, stop: int) -> None:
        self._store = store
        self._start = start
        self._stop = stop

    def room_days(self, tags: Mapping[str, Iterable[str]] | None = None) -> Iterator[RoomDay]:
        """Rows of `room_day`."""
        sets: dict[frozenset[str], frozenset[str]] = {}
        for point in self._read("room_day", _ROOM_FIELDS, tags):
            seen = frozenset(name for name in _SEEN if point.fields.get(name))
            yield _room_day(point, sets.setdefault(seen, seen))

    def line_tests(self, tags: Mapping[str, Iterable[str]] | None = None) -> Iterator[LineTest]:
        """Rows of `line_test` whose time is certain."""
        return map(_line_test, self._certain("line_test", _TEST_FIELDS, tags))

    def line_records(self, tags: Mapping[str, Iterable[str]] | None = None) -> Iterator[LineRecord]:
        """Rows of `line_record` whose time is certain.

        A day more at both ends, as the server may end a test on the other side of midnight.
        """
        wide = _Reader(self._store, max(0, self._start - _DAY), self._stop + _DAY)
        return map(_line_record, wide._certain("line_record", _RECORD_FIELDS, tags))

    def room_days_of(self, keys: set[Key]) -> Iterator[RoomDay]:
        """Rows of `room_day` of these rooms."""
        for tags in _parts(keys, "room"):
            yield from (row for row in self.room_days(tags) if (row.school, row.room) in keys)

    def line_tests_of(self, keys: set[Key]) -> Iterator[LineTest]:
        """Rows of `line_test` of these lines."""
        for tags in _parts(keys, "line"):
            yield from (row for row in self.line_tests(tags) if (row.school, row.line) in keys)

    def line_records_of(self, keys: set[Key]) -> Iterator[LineRecord]:
        """Rows of `line_record` of these lines."""
        for tags in _parts(keys, "line"):
            yield from (row for row in self.line_records(tags) if (row.school, row.line) in keys)

    def _certain(
        self, name: str, fields: Sequence[str], tags: Mapping[str, Iterable[str]] | None
    ) -> Iterator[Point]:
        return (
            point for point in self._read(name, fields, tags) if not point.fields.get("uncertain")
        )

    def _read(
        self, name: str, fields: Sequence[str], tags: Mapping[str, Iterable[str]] | None
    ) -> Iterator[Point]:
        return self._store.read(name, self._start, self._stop, tags, fields)


def _parts(keys: set[Key], tag: str) -> Iterator[Mapping[str, Iterable[str]]]:
    """Tags to query for the keys, some schools at a time; callers drop rows of other keys."""
    names: dict[str, set[str]] = defaultdict(set)
    for school, name in keys:
        names[school].add(name)
    schools = iter(sorted(names))
    while part := list(itertools.islice(schools, _SCHOOLS)):
        yield {"school": part, tag: sorted(set().union(*(names[school] for school in part)))}


def _room_day(point: Point, seen: frozenset[str]) -> RoomDay:
    tags, fields = point.tags, point.fields
    return RoomDay(
        tags.get("school", ""),
        tags.get("room", ""),
        local_day(point.time // 10**9),
        int(fields.get("pcs", 0)),
        seen,
        bool(fields.get("simulated")),
        together=int(fields.get("together", 0)),
    )


def _test_of(point: Point) -> tuple[str, str, str, str, int, str]:
    """The fields of `model.LineRow`."""
    tags, fields = point.tags, point.fields
    test, outcome = str(fields.get("test", "")), str(fields.get("outcome", ""))
    place = tags.get("school", ""), tags.get("machine", ""), tags.get("line", "")
    return (*place, test, point.time, outcome)


def _line_test(point: Point) -> LineTest:
    fields = point.fields
    return LineTest(
        *_test_of(point),
        down_mbps=_float(point, "down_mbps"),
        payload_down=_int(point, "payload_down"),
        seconds=_float(point, "seconds"),
        wired=_bool(point, "wired"),
        solo=_bool(point, "solo"),
        other_share=_float(point, "other_share"),
        server_limited=_bool(point, "server_limited"),
        simulated=bool(fields.get("simulated")),
        interface=str(fields.get("interface", "")),
        reason=str(fields.get("reason", "")),
        long=fields.get("long") is True,
        burst=fields.get("burst") is True,
        pc_limited=_bool(point, "pc_limited"),
        nic_mbps=_float(point, "nic_mbps"),
    )


def _line_record(point: Point) -> LineRecord:
    fields = point.fields
    return LineRecord(
        *_test_of(point),
        sent_bytes=_int(point, "sent_bytes") or 0,
        down_mbps=_float(point, "down_mbps"),
        solo=fields.get("solo") is True,
        simulated=bool(fields.get("simulated")),
        address=str(fields.get("address", "")),
    )


def _float(point: Point, name: str) -> float | None:
    value = point.fields.get(name)
    return None if value is None else float(value)


def _int(point: Point, name: str) -> int | None:
    value = point.fields.get(name)
    return None if value is None else int(value)


def _bool(point: Point, name: str) -> bool | None:
    value = point.fields.get(name)
    return None if value is None else bool(value)

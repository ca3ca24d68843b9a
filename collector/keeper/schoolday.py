"""One school's day: derives its rows and events from the store, whole or from what is new.

What the day's reports say is kept, packed, from one pass to the next (`collector.keeper.fold`),
and so are the rows as the store has them. New reports that are their PCs' last change the rows of
those PCs and of their rooms; whatever else has come makes the day be derived whole. Both give the
same rows: see `tests/collector/keeper/test_equality.py`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence

from collector.keeper import raw as reading
from collector.keeper import stateful
from collector.keeper.checkpoint import Pc, packed_day, taken_up, unpacked_day
from collector.keeper.devices import add_readings, device_points
from collector.keeper.doubts import school_doubts
from collector.keeper.fields import certain
from collector.keeper.fold import Fold, ReviewError, add_hours, last_hour, packed, unpacked
from collector.keeper.hours import Counts, hour_points
from collector.keeper.machines import MachineKey, add_reports, machine_points, unnamed
from collector.keeper.midnight import MS, bounds
from collector.keeper.places import merged, pc_of, reports_in, rooms_of, with_tv, within
from collector.keeper.previous_state import PreviousState
from collector.keeper.raw import Raw
from collector.keeper.rooms import cleared_rooms, display_rooms, room_days
from collector.keeper.stored import Rows, changed, packed_rows, unpacked_rows
from collector.roster.register import Register
from collector.store import Point, Store

#: How long before the last report those read again begin, where a day is taken up, ns.
_AGAIN_NS = 120 * 10**9


class SchoolDay:
    """The rows of a school's day. `derive` first; then `go_on`, as long as that gives any.

    After an error, or where the rows were not written, it cannot be used any more.
    """

    def __init__(
        self, store: Store, register: Register, school: str, day: dt.date, previous: PreviousState
    ) -> None:
        self._store, self._previous = store, previous
        #: The one in force. Another one may follow that says the same of this school.
        self.register = register
        self._school, self._day = school, day
        self._start, self._stop = bounds(day)
        self._reports, self._certain = reading.Reports(), 0  # reports of a certain time
        self._pcs: dict[MachineKey, Pc] = {}
        self._counts: dict[int, Counts] = {}
        self._rooms: list[Point] = []
        self._stored = Rows(store, school, self._start, self._stop)
        self._differ: set[MachineKey] = set()  # PCs of which reports must be read again
        self._unpacked: dict[MachineKey, list[Point]] = {}  # their `device_day` rows, in a pass
        #: Whether `go_on` may be called, and the time of the first report that it found new, ns.
        self.goes_on, self.first_new = False, 0

    def derive(self) -> list[Point]:
        """The day rows and events that the store lacks or has with other values.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        stored = self._stored
        found = reading.read(self._store, self._school, self._start, self._stop)
        self._reports.add(reading.digests(found))
        fold, keys = Fold(), self._keys(found)
        self._add(fold, found)
        self._count(fold)
        if not keys and not stored.of["machine_day"] and not stored.of["room_day"]:
            self.goes_on = True
            return []
        complete = self._complete()
        pcs, devices, events = self._derived(fold, found, keys, complete=complete)
        self.goes_on = complete and keys == set(fold.machines) == {pc_of(point) for point in pcs}
        if not pcs and not stored.of["room_day"]:
            return []
        points = self._with_rooms(pcs, devices, room_days(pcs, devices, self.register, self._day))
        self._remember(fold, pcs, devices)
        return self._keep(points, events)

    def go_on(self, since: int, found: Raw | None = None) -> list[Point] | None:
        """As `derive`, where reports with a time >= `since` (ns) have come; None: derive whole.

        `found`: all the day's points since then, where the caller has read them.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        start = max(since, self._start)
        found = found or reading.read(self._store, self._school, start, self._stop)
        fresh = self._reports.new(reading.digests(found), start)
        if fresh is None:
            return None
        found = found.only(fresh)
        keys = self._keys(found)
        if any(point.time // MS <= self._last_ms(point) for point in filter(certain, found.all())):
            return None
        fold = unpacked({key: self._pcs[key].fold for key in keys & self._pcs.keys()})
        self._add(fold, found)
        if keys != set(fold.machines) or not self._differ <= keys:
            return None
        try:
            pcs, devices, events = self._derived(fold, found, keys, complete=True)
        except ReviewError:
            return None
        if not self._complete() or {pc_of(point) for point in pcs} != keys:
            return None
        self._reports.add(fresh)
        self.first_new = min((time for _, time in fresh), default=self._stop)
        self._differ.clear()
        return self._keep(self._joined(fold, pcs, devices), events) if keys else []

    def checkpoint(self) -> tuple[int, bytes] | None:
        """From when reports are then to be read again (ns), and what `take_up` goes on from."""
        if not self.goes_on or not self._pcs:
            return None
        known = self._reports, self._certain, self._pcs.values(), self._counts, self._rooms
        return max(self._start, self._reports.newest() - _AGAIN_NS), packed_day(*known)

    def take_up(self, again: int, data: bytes) -> bool:
        """Instead of `derive`; `go_on` from `again` or before must follow.

        False where the store has not just what it stands on.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        one = unpacked_day(data)
        found = taken_up(one.pcs, self._stored) if one else None
        if one is None or found is None:
            return False
        reports = reading.Reports.unpacked(one.reports)
        if not reports.are_stored(self._store, self._school, self._start, again):
            return False
        self._reports, self._certain = reports, one.certain
        self._pcs, self._differ = found
        self._counts, self._rooms, self.goes_on = one.counts, one.rooms, True
        return True

    def hours(self, now: int) -> list[Point]:
        """The `school_hour` rows that the store lacks or has with other values.

        Hours that begin after `now` (ns since 1970 UTC) have no row yet.
        """
        stored = self._stored.of["school_hour"].values()
        rows = hour_points(self._counts, stored, self.register, self._school, self._day, now)
        known = {(point.time, point.tags.get("district")): point.fields for point in stored}
        news = [row for row in rows if row.fields != known.get((row.time, row.tags["district"]))]
        self._stored.add(news)
        return news

    def _keys(self, found: Raw) -> set[MachineKey]:
        return {self._key(point) for point in found.all() if certain(point)}

    def _add(self, fold: Fold, found: Raw) -> None:
        """Add reports to PCs' facts and hours."""
        add_reports(fold.machines, self._merged(found.agents), self._merged(found.hosts))
        add_hours(fold, found.agents, found.devices, self._key)
        self._certain += sum(map(certain, found.agents))

    def _derived(
        self, fold: Fold, found: Raw, keys: set[MachineKey], *, complete: bool
    ) -> tuple[list[Point], list[Point], list[Point]]:
        """The rows of these PCs and of their devices, and the events that must be written."""
        stored = self._stored_pcs(keys)
        facts = fold.settled(self._merged(stored))
        unknown = [key for key in unnamed(facts) if key not in fold.earlier]
        fold.earlier |= self._previous.names(self._school, self._day, unknown)
        pcs = machine_points(facts, self.register, self._day, fold.earlier)
        new = {machine for _, machine in facts if (self._school, machine) not in self._pcs}
        fold.begin(self._previous.before(self._school, self._day, new))
        readings = fold.add_devices(self._merged(found.devices), self._day)
        if complete:
            tvs = with_tv(pcs, self.register)
            fold.reduce(readings, self._merged(found.agents), self._previous.rule, tvs)
        states = fold.states()
        all_found = fold.device_facts()
        add_readings(all_found, stateful.unreported(states, fold.devices), self._day)
        rows = device_points(all_found, pcs, self._stored_devices(keys), self.register, self._day)
        devices = stateful.with_states(rows, states)
        events = self._events(keys, stateful.events(devices, states)) if complete else []
        return pcs, devices, events

    def _stored_pcs(self, keys: set[MachineKey]) -> list[Point]:
        known = self._stored.of["machine_day"].values()
        return [point for point in known if not self._pcs or self._key(point) in keys] + [
            self._pcs[key].row for key in keys if key in self._pcs
        ]

    def _stored_devices(self, keys: set[MachineKey]) -> list[Point]:
        known = self._stored.of["device_day"].values()
        rows = [point for point in known if not self._pcs or self._key(point) in keys]
        return rows + self._kept_devices(keys)

    def _kept_devices(self, keys: Iterable[MachineKey]) -> list[Point]:
        kept = [key for key in keys if key in self._pcs]
        for key in kept:
            if key not in self._unpacked:
                self._unpacked[key] = unpacked_rows(self._pcs[key].devices)
        return [point for key in kept for point in self._unpacked[key]]

    def _events(self, keys: set[MachineKey], events: Sequence[Point]) -> list[Point]:
        """The events that the store lacks, and withdrawals of stored ones not in `events`."""
        mine = self._stored.events(keys if self._pcs else None)
        return [*changed(events, mine), *stateful.withdrawn_events(mine, events)]

    def _joined(self, fold: Fold, pcs: list[Point], devices: list[Point]) -> list[Point]:
        """The rows after these of some PCs are new: of the PCs, their rooms, and the school."""
        self._count(fold)
        places = rooms_of([*pcs, *devices])
        touched = set().union(*places.values())
        touched |= {room for key in places if key in self._pcs for room in self._pcs[key].rooms}
        others = [key for key, pc in self._pcs.items() if key not in places and pc.rooms & touched]
        here = [*pcs, *(self._pcs[key].row for key in others)]
        seen = [*devices, *self._kept_devices(others)]
        rooms = room_days(within(here, touched), within(seen, touched), self.register, self._day)
        kept = [point for point in self._rooms if point.tags.get("room", "") not in touched]
        rows = [pc.row for key, pc in self._pcs.items() if key not in places]
        points = self._with_rooms([*pcs, *rows], devices, [*kept, *rooms], pcs)
        self._remember(fold, pcs, devices)
        return points

    def _with_rooms(
        self,
        all_pcs: list[Point],
        devices: list[Point],
        rooms: list[Point],
        pcs: list[Point] | None = None,
    ) -> list[Point]:
        """The rows to be written: of `pcs` (default: all), `devices`, the rooms and the school."""
        stored, register, school = self._stored, self.register, self._school
        self._rooms = rooms
        room_rows = list(stored.of["room_day"].values())
        rooms = rooms + cleared_rooms(room_rows, rooms, register, self._day)
        school_rows = list(stored.of["school_day"].values())
        keys = {pc_of(point) for point in pcs or all_pcs}
        return [
            *changed(all_pcs if pcs is None else pcs, self._stored_pcs(keys)),
            *changed(devices, self._stored_devices(keys)),
            *changed(rooms, room_rows),
            *changed(display_rooms(rooms, school_rows, register, school), school_rows),
            *changed(school_doubts(all_pcs, school_rows, register, school), school_rows),
        ]

    def _remember(self, fold: Fold, pcs: Iterable[Point], devices: Iterable[Point]) -> None:
        """Keep what these PCs' reports said; what is stored of them under other tags stays too."""
        of: dict[MachineKey, list[Point]] = defaultdict(list)
        for point in devices:
            of[pc_of(point)].append(point)
        folds = packed(fold)
        for point in pcs:
            if (key := pc_of(point)) in folds:
                self._drop(key)
                last, hour = fold.machines[key].last_ms or 0, last_hour(key, fold)
                rooms = frozenset(row.tags.get("room", "") for row in (point, *of[key]))
                self._pcs[key] = Pc(folds[key], last, point, packed_rows(of[key]), rooms, hour)
                self._unpacked[key] = of[key]
                self._stored.forget([point, *of[key]])

    def _drop(self, key: MachineKey) -> None:
        """Rows that a PC had under other tags are stored, but are not its rows any more."""
        if key in self._pcs:
            self._stored.add([self._pcs[key].row, *self._kept_devices([key])])

    def _count(self, fold: Fold) -> None:
        """Replace what the hours count of these PCs."""
        for key, hours in fold.hours.items():
            before = self._pcs[key].hour if key in self._pcs else {}
            for hour, facts in hours.items():
                known, minus = self._counts.get(hour, Counts()), before.get(hour, Counts())
                now = zip(known, facts.counts(), minus, strict=True)
                self._counts[hour] = Counts(*(was + new - old for was, new, old in now))

    def _keep(self, points: list[Point], events: list[Point]) -> list[Point]:
        """The rows of rooms, of the school and of events are stored now."""
        small = [p for p in points if p.measurement not in ("machine_day", "device_day")]
        self._stored.add([*small, *events])
        self._unpacked.clear()
        return [*points, *events]

    def _complete(self) -> bool:
        """Whether the store still has every report that the stored rows were derived from."""
        rows = [*self._stored.of["machine_day"].values(), *(pc.row for pc in self._pcs.values())]
        return self._certain >= reports_in(rows, self._key)

    def _last_ms(self, point: Point) -> int:
        pc = self._pcs.get(self._key(point))
        return pc.last_ms if pc else -1

    def _key(self, point: Point) -> MachineKey:
        return self._school, self.register.known_as(self._school, point.tags.get("machine", ""))

    def _merged(self, points: Iterable[Point]) -> list[Point]:
        """The points, those of a merged PC under the machine id that it was merged into."""
        return [merged(point, self.register) for point in points]

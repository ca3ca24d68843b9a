"""One school's day: reads its points from the store and derives its day rows and events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from collector.keeper import stateful
from collector.keeper.device_identity import merge_identities
from collector.keeper.devices import device_days
from collector.keeper.doubts import school_doubts
from collector.keeper.fields import certain, number
from collector.keeper.machines import MachineKey, Machines, gather, machine_points, unnamed
from collector.keeper.midnight import bounds
from collector.keeper.observations import reduce_day
from collector.keeper.previous_state import PreviousState
from collector.keeper.rooms import cleared_rooms, display_rooms, room_days
from collector.keeper.sharing import OWN_ID
from collector.roster.register import Register
from collector.store import Point, Store

#: How far back to look for the hostname of a PC that was not started that day.
_LOOK_BACK_NS = 30 * 86_400 * 10**9
_AGENT = (
    "boot", "weak_id", "room", "simulated", "uncertain", "probes", "sources", "version",
    "offset_ms", "outbox_rows", "late_days", "uptime_s",
)  # fmt: skip
_HOST = ("hostname", "uncertain", "received_bytes")
_DEVICE = (
    "present", "fault", "power", "maker", "model", "serial", "connector", "room", "simulated",
    "uncertain", "lamp_hours", "name", "year", "week", "serial_number", "width_cm",
)  # fmt: skip

#: The kind of a display that a remote-control tool makes: no equipment, and no loss when it goes.
_SOFTWARE = "virtual_display"


def derive(
    store: Store,
    register: Register,
    school: str,
    day: dt.date,
    previous: PreviousState | None = None,
) -> list[Point]:
    """The day rows and events of a school that the store lacks or has with other values.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    source = _Source(store, register, school, day)
    agents = source.raw("agent", _AGENT)
    machines = gather(agents, source.raw("host", _HOST), source.merged(source.machine_days))
    pcs = machine_points(machines, register, day, _earlier_names(source, machines))
    if not pcs and not source.room_days:
        return []
    devices, events = _devices(source, machines, agents, pcs, previous or PreviousState(store))
    rooms = room_days(pcs, devices, register, day)
    rooms += cleared_rooms(source.room_days, rooms, register, day)
    return [
        *_changed(pcs, source.machine_days),
        *_changed(devices, source.device_days),
        *_changed(rooms, source.room_days),
        *_changed(display_rooms(rooms, source.school_days, register, school), source.school_days),
        *_changed(school_doubts(pcs, source.school_days, register, school), source.school_days),
        *events,
    ]


class _Source:
    """What the store holds of one school's day: the rows derived before, and the raw points."""

    def __init__(self, store: Store, register: Register, school: str, day: dt.date) -> None:
        self.store, self.register, self.school, self.day = store, register, school, day
        self.start, self.stop = bounds(day)
        self.machine_days = self._rows("machine_day")
        self.device_days = self._rows("device_day")
        self.room_days = self._rows("room_day")
        self.school_days = self._rows("school_day")

    def _rows(self, measurement: str) -> list[Point]:
        tags = {"school": self.school}
        return list(self.store.read(measurement, self.start, self.start + 1, tags))

    def raw(self, measurement: str, fields: Sequence[str]) -> list[Point]:
        """The day's reported points, merged PCs under one machine id."""
        tags = {"school": self.school}
        return self.merged(self.store.read(measurement, self.start, self.stop, tags, fields))

    def merged(self, points: Iterable[Point]) -> list[Point]:
        """The points, those of a merged PC under the machine id that it was merged into."""
        return [_merged(point, self.register) for point in points]


def _merged(point: Point, register: Register) -> Point:
    machine = point.tags.get("machine", "")
    known = register.known_as(point.tags.get("school", ""), machine)
    if known == machine:
        return point
    fields = {**point.fields, OWN_ID: machine}
    return point._replace(tags={**point.tags, "machine": known}, fields=fields)


def _devices(
    source: _Source,
    machines: Machines,
    agents: list[Point],
    pcs: list[Point],
    previous: PreviousState,
) -> tuple[list[Point], list[Point]]:
    """The day's `device_day` points, and the `event` points that must be written."""
    before = previous.before(source.school, source.day, {machine for _, machine in machines})
    raw = [point for point in source.raw("device", _DEVICE) if point.tags.get("kind") != _SOFTWARE]
    readings = merge_identities(raw, before)
    # If the telemetry behind the stored rows is already deleted, the states in them are kept.
    complete = _complete(agents, source.machine_days)
    tvs = _with_tv(pcs, source.register)
    states = reduce_day(readings, agents, before, previous.rule, tvs) if complete else {}
    readings += stateful.unreported(states, readings)
    devices = device_days(readings, pcs, source.device_days, source.register, source.day)
    devices = stateful.with_states(devices, states)
    events = _changed_events(source, stateful.events(devices, states)) if complete else ()
    return devices, list(events)


def _with_tv(pcs: Iterable[Point], register: Register) -> set[tuple[str, str]]:
    """The PCs (school, machine) whose room has a TV in the register."""
    owned = register.equipment_of
    return {
        (school, point.tags["machine"])
        for point in pcs
        for school in (point.tags["school"],)
        if any(
            row.kind == "tv" and row.count > 0
            for row in owned.get((school, point.tags.get("room", "")), ())
        )
    }


def _complete(agents: Iterable[Point], stored: Iterable[Point]) -> bool:
    """Whether the store still has every report that the stored rows were derived from."""
    counted = sum(number(point.fields, "reports") or 0 for point in stored)
    return sum(map(certain, agents)) >= counted


def _changed_events(source: _Source, events: Sequence[Point]) -> Iterator[Point]:
    """The events that the store lacks, and withdrawals of stored ones that are not in `events`."""
    tags = {"school": source.school}
    stored = list(source.store.read("event", source.start, source.stop, tags))
    yield from _changed(events, stored)
    yield from stateful.withdrawn_events(stored, events)


def _earlier_names(source: _Source, machines: Machines) -> dict[MachineKey, str]:
    """The last earlier hostname of the PCs that did not report one that day."""
    wanted = [machine for _, machine in unnamed(machines)]
    if not wanted:
        return {}
    since, tags = source.start - _LOOK_BACK_NS, {"school": source.school, "machine": wanted}
    return {
        (source.school, point.tags["machine"]): str(point.fields["hostname"])
        for point in source.store.read("machine_day", since, source.start, tags, ["hostname"])
    }


def _changed(points: Iterable[Point], stored: Iterable[Point]) -> Iterator[Point]:
    """The points that the store lacks or has with other values: most runs change nothing."""
    known = {_series_and_time(point): point.fields for point in stored}
    for point in points:
        fields = known.get(_series_and_time(point))
        if fields is None or not point.fields.items() <= fields.items():
            yield point


def _series_and_time(point: Point) -> tuple[frozenset[tuple[str, str]], int]:
    return frozenset(point.tags.items()), point.time

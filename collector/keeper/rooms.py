"""`room_day`: what was seen in one room on one day, from its PCs' and devices' days. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from collector.keeper.devices import PICTURES
from collector.keeper.fields import number, text
from collector.keeper.midnight import midnight
from collector.keeper.together import Span, span, together
from collector.roster.register import Register
from collector.store import Point, Value

RoomKey = tuple[str, str]  # school, room
_FLAG_KINDS = ("sound", "microphone", "camera")


@dataclass(slots=True)
class _Room:
    pcs: set[str] = field(default_factory=set)
    weak: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)
    displays: int = 0
    missing: int = 0
    faults: int = 0
    simulated: bool = False
    spans: dict[str, Span] = field(default_factory=dict)  # of the PCs that can be counted


def room_days(
    machine_days: Iterable[Point],
    device_days: Iterable[Point],
    register: Register,
    day: dt.date,
) -> list[Point]:
    """The day's `room_day` points, of registered rooms in which something was seen.

    A flag that a point lacks is false. The same maker, model and serial seen in two rooms of a
    school at different times is one device that moved, counted in its first room; seen at
    overlapping times, it is two devices that share a serial.
    """
    rooms: dict[RoomKey, _Room] = defaultdict(_Room)
    for point in machine_days:
        if _registered(point, register):
            _add_machine(rooms[_key(point)], point)
    devices = [point for point in device_days if _registered(point, register)]
    for point in _counted(devices):
        _add_seen(rooms[_key(point)], point)
    for point in devices:
        _add_state(rooms[_key(point)], point)
    time = midnight(day)
    return [
        Point("room_day", _tags(key, register), _fields(key, room, register), time)
        for key, room in sorted(rooms.items())
    ]


def cleared_rooms(
    stored: Iterable[Point], room_days: Iterable[Point], register: Register, day: dt.date
) -> list[Point]:
    """Rows of zeros for rooms that have a stored row but nothing in `room_days` any more.

    A PC that a later import binds to another room must not count in both.
    """
    kept = {_series(point) for point in room_days}
    nothing = _fields(("", ""), _Room(), register)
    return [
        Point("room_day", point.tags, nothing, midnight(day))
        for point in stored
        if _series(point) not in kept
    ]


def _series(point: Point) -> tuple[str, str, str]:
    tags = point.tags
    return tags.get("school", ""), tags.get("district", ""), tags.get("room", "")


def _key(point: Point) -> RoomKey:
    return point.tags.get("school", ""), point.tags.get("room", "")


def _registered(point: Point, register: Register) -> bool:
    school, room = _key(point)
    return school in register.schools and (school, room) in register.room


def _add_machine(room: _Room, point: Point) -> None:
    if point.fields.get("seen") is not True:
        return
    # PCs with a weak or shared id cannot be counted.
    weak = point.fields.get("weak_id") is True or point.fields.get("shared_id") is True
    (room.weak if weak else room.pcs).add(point.tags.get("machine", ""))
    room.simulated |= point.fields.get("simulated") is True
    reported = None if weak else span(point)
    if reported is not None:
        room.spans[point.tags.get("machine", "")] = reported


def _add_seen(room: _Room, point: Point) -> None:
    kind = point.tags.get("kind", "")
    room.kinds.add(kind)
    room.displays += kind in PICTURES


def _add_state(room: _Room, point: Point) -> None:
    room.missing += point.fields.get("missing") is True
    room.faults += point.fields.get("fault") is True
    room.simulated |= point.fields.get("simulated") is True


def _counted(devices: Iterable[Point]) -> list[Point]:
    """The devices that were seen; one that moved between rooms counts once."""
    counted: list[Point] = []
    by_identity: dict[tuple[str, ...], list[Point]] = defaultdict(list)
    for point in devices:
        if point.fields.get("seen") is not True:
            continue
        identity = tuple(text(point.fields, name) for name in ("maker", "model", "serial"))
        if all(identity):
            by_identity[(point.tags.get("school", ""), _class(point), *identity)].append(point)
        else:
            counted.append(point)
    for points in by_identity.values():
        counted += _distinct(points)
    return counted


def _class(point: Point) -> str:
    """The kind, or "picture": one display may have different kinds in two rooms' registers."""
    kind = point.tags.get("kind", "")
    return "picture" if kind in PICTURES else kind


def _distinct(points: Iterable[Point]) -> list[Point]:
    """The fewest devices that explain all sightings of one serial, each in its first room.

    A room's sighting is the interval from its first reading to its last. In order of their
    start, a sighting that begins after a device was last seen is that device, moved; one that
    overlaps all devices found so far is a new device (interval partitioning).
    """
    until: list[int] = []
    counted: list[Point] = []
    for start, end, point in _sightings(points):
        free = next((n for n, last in enumerate(until) if last < start), None)
        if free is None:
            until.append(end)
            counted.append(point)
        else:
            until[free] = end
    return counted


def _sightings(points: Iterable[Point]) -> list[tuple[int, int, Point]]:
    """(first ms, last ms, point) per room, by start: two PCs of a room see the same device."""
    rooms: dict[str, tuple[int, int, Point]] = {}
    for point in points:
        first = number(point.fields, "first_ms") or 0
        last = number(point.fields, "last_ms") or 0
        room = point.tags["room"]
        known = rooms.setdefault(room, (first, last, point))
        rooms[room] = min(known[0], first), max(known[1], last), known[2]
    return sorted(rooms.values(), key=lambda seen: (seen[0], seen[1], seen[2].tags["room"]))


def _tags(key: RoomKey, register: Register) -> dict[str, str]:
    school, room = key
    return {"school": school, "district": register.district_of(school), "room": room}


def _fields(key: RoomKey, room: _Room, register: Register) -> dict[str, Value]:
    fields: dict[str, Value] = {
        "pcs": len(room.pcs),
        "together": together(room.spans.values()),
        "weak_pcs": len(room.weak),
        "computer": bool(room.pcs or room.weak),
        "display": room.displays > 0,
        "displays": room.displays,
        "missing": room.missing,
        "faults": room.faults,
    }
    fields |= {kind: kind in room.kinds for kind in _FLAG_KINDS}
    registered = register.room.get(key)
    if registered is not None and registered.seats is not None:
        fields["seats"] = registered.seats
    return fields | ({"simulated": True} if room.simulated else {})

"""`room_day`: what was seen in one room on one day, from its PCs' and devices' days. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from collector.compliance.displays import TOLD, UNKNOWN, Display, read, written
from collector.compliance.equipped import word_of
from collector.compliance.places import written as listed
from collector.keeper.fields import text
from collector.keeper.midnight import midnight
from collector.keeper.sightings import displays_of
from collector.keeper.together import Span, span, together
from collector.roster.register import Register
from collector.store import Point, Value

RoomKey = tuple[str, str]  # school, room
_FLAG_KINDS = ("sound", "microphone", "camera")


@dataclass(slots=True)
class _Room:
    pcs: set[str] = field(default_factory=set)
    weak: set[str] = field(default_factory=set)
    seen: list[Point] = field(default_factory=list)  # rows of devices
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

    A flag that a point lacks is false. A display counts wherever it was seen: whether two rooms saw
    one and the same is for the figure to say, from the days of its window.
    """
    rooms: dict[RoomKey, _Room] = defaultdict(_Room)
    for point in machine_days:
        if _registered(key := _key(point), register):
            _add_machine(rooms[key], point)
    for point in device_days:
        if _registered(key := _key(point), register):
            _add_device(rooms[key], point)
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


def display_rooms(
    room_days: Iterable[Point], stored: Iterable[Point], register: Register, school: str
) -> list[Point]:
    """The `school_day` point that lists a school's displays, from its day's `room_day` points.

    None for a school without displays, unless it has `stored` ones.
    """
    found: dict[str, set[str]] = defaultdict(set)
    time = 0
    for point in room_days:
        time = point.time
        for one in read(text(point.fields, "display_ids")):
            if one.identity:
                found[one.identity].add(point.tags.get("room", ""))
    if not found and not any(text(point.fields, "display_rooms") for point in stored):
        return []
    tags = {"school": school, "district": register.district_of(school)}
    return [Point("school_day", tags, {"display_rooms": listed(found)}, time)]


def _series(point: Point) -> tuple[str, str, str]:
    tags = point.tags
    return tags.get("school", ""), tags.get("district", ""), tags.get("room", "")


def _key(point: Point) -> RoomKey:
    return point.tags.get("school", ""), point.tags.get("room", "")


def _registered(key: RoomKey, register: Register) -> bool:
    return key[0] in register.schools and key in register.room


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


def _add_device(room: _Room, point: Point) -> None:
    fields = point.fields  # flags that are not true are absent
    if fields.get("seen") is True:
        room.seen.append(point)
    room.missing += fields.get("missing") is True
    room.faults += fields.get("fault") is True
    room.simulated |= fields.get("simulated") is True


def _tags(key: RoomKey, register: Register) -> dict[str, str]:
    school, room = key
    return {"school": school, "district": register.district_of(school), "room": room}


def _fields(key: RoomKey, room: _Room, register: Register) -> dict[str, Value]:
    displays = displays_of(room.seen)
    count = _count(displays, key, register)
    kinds = {point.tags.get("kind", "") for point in room.seen}
    fields: dict[str, Value] = {
        "pcs": len(room.pcs),
        "together": together(room.spans.values()),
        "weak_pcs": len(room.weak),
        "computer": bool(room.pcs or room.weak),
        "display": count > 0,
        "displays": count,
        "display_ids": written(displays),
        "missing": room.missing,
        "faults": room.faults,
    }
    fields |= {kind: kind in kinds for kind in _FLAG_KINDS}
    registered = register.room.get(key)
    if registered is not None and registered.seats is not None:
        fields["seats"] = registered.seats
    return fields | ({"simulated": True} if room.simulated else {})


def _count(displays: Sequence[Display], key: RoomKey, register: Register) -> int:
    """How many are projectors, panels or TVs, by their own word or the register's."""
    word = word_of(register.equipment_of.get(key, ()))
    unknown = sum(one.kind == UNKNOWN for one in displays)
    found = [one for one in displays if one.kind in TOLD or word.names(one.kind, unknown)]
    named = {one.identity for one in found if one.identity}
    return len(named) + sum(not one.identity for one in found)

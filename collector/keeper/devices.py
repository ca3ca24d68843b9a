"""`device_day`: one device's day, from the readings with a certain time. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.common.vocabulary.devices import codes
from collector.keeper.fields import certain, least, most, number, text
from collector.keeper.machines import MachineKey
from collector.keeper.midnight import MS, midnight
from collector.keeper.sightings import Sightings, add_reading, add_stored, written
from collector.roster.register import Register
from collector.store import Point, Value

#: Kinds of picture for a class, in the order in which a display of unknown kind is taken for one.
PICTURES = ("projector", "panel", "tv")
#: Faults that mean the address belongs to something else: no evidence that the class has a device.
_OTHER_DEVICE = frozenset({"not_pjlink"})
#: Kinds that drop their link when they are switched off; with a display goes its sound.
_SWITCHED = frozenset({"display", "monitor", "projector", "panel", "tv", "sound"})
#: Connectors of network devices begin so. They are listed in the agent's settings, and the agent
#: itself reports those that do not answer.
LISTED = "net:"
_TEXTS = frozenset({"maker", "model", "serial", "connector"})

DeviceKey = tuple[str, str, str]  # school, machine, device


@dataclass(slots=True)
class DeviceFacts:
    """What a day's readings say about one device. A pair is a time in ns and the text read then."""

    kind: tuple[int, str] = (-1, "")
    first_ms: int | None = None
    last_ms: int | None = None
    lamp_hours: int | None = None
    seen: bool = False
    missing: bool = False
    fault: bool = False
    simulated: bool = False
    texts: dict[str, tuple[int, str]] = field(default_factory=dict)
    room: tuple[int, str] = (-1, "")
    sightings: Sightings = field(default_factory=dict)


DevicesFound = dict[DeviceKey, DeviceFacts]


def device_days(
    devices: Iterable[Point],
    machine_days: Iterable[Point],
    stored: Iterable[Point],
    register: Register,
    day: dt.date,
) -> list[Point]:
    """The day's `device_day` points.

    `devices` are the day's raw points, `stored` its rows so far; in any order. A device is in
    the room that its PC's settings give it, else in its PC's room. An external display of unknown
    kind (`display`) is taken for the projector, panel or TV that the register has in that room.
    Whether one that may be off was missing, its states tell (`stateful.with_states`).
    Devices of PCs without a `machine_day` are left out.
    """
    found: DevicesFound = {}
    add_readings(found, devices, day)
    return device_points(found, machine_days, stored, register, day)


def add_readings(found: DevicesFound, devices: Iterable[Point], day: dt.date) -> None:
    """Add raw points of the day, in any order."""
    time = midnight(day)
    for point in filter(certain, devices):
        _add_reading(found.setdefault(_key(point), DeviceFacts()), point, time)


def device_points(
    found: DevicesFound,
    machine_days: Iterable[Point],
    stored: Iterable[Point],
    register: Register,
    day: dt.date,
) -> list[Point]:
    """As `device_days`; `found` has the day's raw points, and gets its stored rows."""
    time = midnight(day)
    for point in stored:
        _add_stored(found.setdefault(_key(point), DeviceFacts()), point)
    machines = {_machine(point): point for point in machine_days}
    return [
        Point("device_day", _tags(key, facts, machines[key[:2]], register), _fields(facts), time)
        for key, facts in sorted(found.items())
        if key[:2] in machines
    ]


def may_be_off(kind: str, connector: str) -> bool:
    """Whether its absence may mean that it is switched off."""
    return kind in _SWITCHED and not connector.startswith(LISTED)


def _machine(point: Point) -> MachineKey:
    return point.tags.get("school", ""), point.tags.get("machine", "")


def _key(point: Point) -> DeviceKey:
    return (*_machine(point), point.tags.get("device", ""))


def _add_reading(facts: DeviceFacts, point: Point, day_start: int) -> None:
    fields = point.fields
    facts.kind = max(facts.kind, (point.time, point.tags.get("kind", "")))
    facts.fault |= bool(text(fields, "fault"))
    facts.simulated |= fields.get("simulated") is True
    if fields.get("present") is True and codes(text(fields, "fault")) not in _OTHER_DEVICE:
        facts.seen = True
        facts.first_ms = least(facts.first_ms, point.time // MS)
        facts.last_ms = most(facts.last_ms, point.time // MS)
        add_reading(facts.sightings, point, day_start)
    elif not may_be_off(point.tags.get("kind", ""), text(fields, "connector")):
        facts.missing |= fields.get("present") is False
    facts.lamp_hours = most(facts.lamp_hours, number(fields, "lamp_hours"))
    _add_texts(facts, point, point.time)
    if room := text(fields, "room"):
        facts.room = max(facts.room, (point.time, room))


def _add_stored(facts: DeviceFacts, row: Point) -> None:
    fields = row.fields
    last = number(fields, "last_ms")
    facts.kind = max(facts.kind, (0, row.tags.get("kind", "")))
    facts.seen |= fields.get("seen") is True
    facts.missing |= fields.get("missing") is True
    facts.fault |= fields.get("fault") is True
    facts.simulated |= fields.get("simulated") is True
    facts.first_ms = least(facts.first_ms, number(fields, "first_ms"))
    facts.last_ms = most(facts.last_ms, last)
    facts.room = max(facts.room, (0, text(fields, "own_room")))
    if "sightings" in fields:
        add_stored(facts.sightings, row)
    facts.lamp_hours = most(facts.lamp_hours, number(fields, "lamp_hours"))
    _add_texts(facts, row, 0)


def _add_texts(facts: DeviceFacts, point: Point, time: int) -> None:
    for name in _TEXTS & point.fields.keys():
        if value := text(point.fields, name):
            facts.texts[name] = max(facts.texts.get(name, (-1, "")), (time, value))


def _tags(key: DeviceKey, facts: DeviceFacts, machine: Point, register: Register) -> dict[str, str]:
    school, _, device = key
    room = facts.room[1] or machine.tags.get("room", "")
    # A room that the register does not have counts as none, not as the PC's room.
    room = room if (school, room) in register.room else ""
    kind = resolved(facts.kind[1], school, room, register)
    tags = {name: value for name, value in machine.tags.items() if name != "room"}
    tags |= {"kind": kind, "device": device}
    return tags | ({"room": room} if room else {})


def resolved(kind: str, school: str, room: str, register: Register) -> str:
    """The kind of a device; for a `display`, the first of `PICTURES` that its room owns.

    It stays `display` if the room owns none.
    """
    if kind != "display":
        return kind
    rows = register.equipment_of.get((school, room), [])
    owned = {row.kind.removesuffix("_without_pc") for row in rows if row.count > 0}
    return next((picture for picture in PICTURES if picture in owned), kind)


def _fields(facts: DeviceFacts) -> dict[str, Value]:
    """Only flags that are true are written, so that two keepers cannot clear each other's."""
    flags = {
        "seen": facts.seen,
        "missing": facts.missing,
        "fault": facts.fault,
        "simulated": facts.simulated,
    }
    fields: dict[str, Value] = {name: True for name, value in flags.items() if value}
    times = {
        "first_ms": facts.first_ms, "last_ms": facts.last_ms, "lamp_hours": facts.lamp_hours
    }  # fmt: skip
    fields |= {name: value for name, value in times.items() if value is not None}
    if facts.room[1]:
        fields["own_room"] = facts.room[1]
    if facts.sightings:
        fields["sightings"] = written(facts.sightings)
    return fields | {name: value for name, (_, value) in sorted(facts.texts.items())}

"""The points that a simulated city leaves in the store, by open day, oldest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from agent.common.calendar import midnight_ns
from agent.wire import device_id
from collector.keeper.days import room_days
from collector.keeper.devices import PICTURES
from collector.keeper.state import Aspect, State
from collector.keeper.stateful import fields_of
from collector.keeper.together import hour_bit
from collector.roster.register import Register
from collector.simulate import linetests
from collector.simulate.changes import Changes, fault_of
from collector.simulate.city import City, Gear, Pc
from collector.simulate.habits import chance, offline_days
from collector.simulate.hours import school_hours
from collector.simulate.years import moment_ms
from collector.store import Point, Value

#: School -> the ranks on which none of its PCs reports.
Offline = dict[str, frozenset[int]]

_FROM, _TO = dt.time(7, 40), dt.time(17, 20)
_REPORTS = 110
_VERSIONS = (("0.9.0", 0.72), ("0.8.2", 0.96), ("0.8.0", 1.0))


def days(city: City) -> Iterator[tuple[dt.date, list[Point]]]:
    """Each open day with its evidence points and what the keeper derives of it, oldest first."""
    register = city.register()
    offline, changes = offline_of(city), Changes()
    for rank in reversed(range(len(city.days))):
        day = city.days[rank]
        found = points_of(city, register, rank, offline)
        devices = [point for point in found if point.measurement == "device_day"]
        machines = [point for point in found if point.measurement == "machine_day"]
        others = [point for point in found if point.measurement != "device_day"]
        remembered, events = changes.of(devices)
        hours = school_hours(city, register, day, machines, devices)
        yield day, [*others, *remembered, *events, *hours]


def offline_of(city: City) -> Offline:
    """The offline days of every school."""
    return {
        school.code: offline_days(city.size.seed, school.code, len(city.days))
        for school in city.schools
    }


def points_of(city: City, register: Register, rank: int, offline: Offline) -> list[Point]:
    """The evidence points of the open day of `rank`."""
    on = [pc for pc in city.pcs if reports_on(city, pc, rank, offline)]
    machines = [_machine_day(city, register, pc, rank) for pc in on]
    devices = [
        _device_day(city, register, pc, gear, rank, offline) for pc in on for gear in pc.gear
    ]
    rooms = room_days(machines, devices, register, city.days[rank])
    return [*machines, *devices, *rooms, *linetests.tests_of(city, rank, offline)]


def reports_on(city: City, pc: Pc, rank: int, offline: Offline) -> bool:
    """Whether a PC reports on the open day of `rank`."""
    return pc.days.holds(rank, offline[pc.school], city.size.seed, pc.machine)


def _tags(register: Register, pc: Pc) -> dict[str, str]:
    tags = {"school": pc.school, "district": register.district_of(pc.school)}
    if pc.room:
        tags["room"] = pc.room
    return tags | {"machine": pc.machine}


def _machine_day(city: City, register: Register, pc: Pc, rank: int) -> Point:
    late = int(chance(pc.machine, rank) * 1_200_000)
    first, last = moment_ms(city.days[rank], _FROM) + late, moment_ms(city.days[rank], _TO) - late
    fields: dict[str, Value] = {
        "seen": True,
        "first_ms": first,
        "last_ms": last,
        "hours": sum({hour_bit(at) for at in range(first, last, 1_800_000)}),
        "reports": _REPORTS - late // 60_000,
        "weak_id": pc.weak,
        "boots": 1 + (late > 1_000_000),
        "hostname": pc.hostname,
        "first_received": int(10**6 + 10**9 * chance(pc.machine, rank, "received")),
        "first_uptime_s": round(0.4 + 300 * chance(pc.machine, rank, "uptime"), 3),
        **agent_fields(pc),
        "simulated": True,
    }
    return Point("machine_day", _tags(register, pc), fields, midnight_ns(city.days[rank]))


def agent_fields(pc: Pc) -> dict[str, Value]:
    """A PC's version, clock offset and outbox; a few PCs have trouble."""
    drawn = chance("agent", pc.machine)
    return {
        "version": next(name for name, below in _VERSIONS if drawn < below),
        "offset_ms": int(34_560_000_000 * drawn) if drawn < 0.004 else int(900 * drawn),
        "outbox_rows": int(4000 * drawn) if drawn > 0.997 else int(3 * drawn),
    }


def _device_day(
    city: City, register: Register, pc: Pc, gear: Gear, rank: int, offline: Offline
) -> Point:
    seen = gear.seen.holds(rank, offline[pc.school], city.size.seed, pc.machine, gear.connector)
    fault = gear.faults.holds(rank, offline[pc.school])
    device = device_id(pc.machine, gear.kind, gear.connector)
    state = _state(city.days[rank], gear, seen, fault_of(device) if fault else "")
    fields: dict[str, Value] = {
        "seen": seen, "missing": not seen, "fault": fault, "maker": gear.maker,
        "model": gear.model, "serial": gear.serial, "connector": gear.connector,
        "simulated": True, **fields_of(state),
    }  # fmt: skip
    if seen:
        fields["first_ms"] = moment_ms(city.days[rank], _FROM)
        fields["last_ms"] = moment_ms(city.days[rank], _TO)
    if seen and gear.kind == "projector":
        fields["lamp_hours"] = 300 + int(3300 * chance("lamp", device)) - 6 * min(rank, 50)
    tags = _tags(register, pc) | {"kind": gear.kind, "device": device}
    return Point("device_day", tags, fields, midnight_ns(city.days[rank]))


def _state(day: dt.date, gear: Gear, seen: bool, fault: str) -> State:
    """A device's state at the end of the day, as if it had begun with the day; a fault's code."""
    first, last = moment_ms(day, _FROM), moment_ms(day, _TO)
    lit = seen and gear.kind in PICTURES
    return State(
        presence=Aspect("present" if seen else "missing", first),
        health=Aspect("fault" if fault else "well", first),
        fault=fault,
        power="on" if lit else "unknown",
        power_since=first,
        used=last if lit else 0,
        power_reported=lit,
        last=last,
    )

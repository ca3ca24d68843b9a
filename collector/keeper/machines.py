"""`machine_day`: one PC's day, from the reports with a certain time. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from collector.keeper.doubts import LATE_DAYS
from collector.keeper.fields import certain, least, most, number, text
from collector.keeper.midnight import MS, midnight
from collector.keeper.sharing import Boots
from collector.keeper.together import hour_bit
from collector.roster.register import Register
from collector.store import Point, Value

#: Fields about the agent itself, kept as last reported that day.
_AGENT_FIELDS = ("version", "offset_ms", "outbox_rows")
#: Fields of raw points, and the fields of the row that keep the day's first value.
_FIRST = {"received_bytes": "first_received", "uptime_s": "first_uptime_s"}

MachineKey = tuple[str, str]  # school, machine


@dataclass(slots=True)
class MachineFacts:
    """What a day's reports say about one PC. A pair is a time in ns and the value reported then."""

    first_ms: int | None = None
    last_ms: int | None = None
    reports: int = 0
    hours: int = 0  # bits, see `together.hour_bit`
    boots: Boots = field(default_factory=Boots)
    boots_known: int = 0
    weak: bool = False
    shared: bool = False
    shared_sources: str = ""
    simulated: bool = False
    hostname: tuple[int, str] = (0, "")
    claimed: tuple[int, str] = (0, "")
    stored_room: tuple[int, str] = (0, "")
    agent: dict[str, tuple[int, Value]] = field(default_factory=dict)
    late: bool = False
    #: The day's first counters, by `_FIRST`: so many PCs with equal ones are no PCs.
    first: dict[str, tuple[int, Value]] = field(default_factory=dict)


Machines = dict[MachineKey, MachineFacts]


def machine_days(
    agents: Iterable[Point],
    hosts: Iterable[Point],
    stored: Iterable[Point],
    register: Register,
    day: dt.date,
    earlier: Mapping[MachineKey, str] | None = None,
) -> list[Point]:
    """The day's `machine_day` points of registered schools.

    `agents` and `hosts` are the day's raw points, `stored` its rows so far; in any order.
    `earlier` has the last known hostname of PCs that reported none that day: an agent reports
    its hostname once a start.
    """
    return machine_points(gather(agents, hosts, stored), register, day, earlier or {})


def gather(agents: Iterable[Point], hosts: Iterable[Point], stored: Iterable[Point]) -> Machines:
    """The facts of one day's points, in any order, by school and machine."""
    found: Machines = {}
    add_reports(found, agents, hosts)
    return settled(found, stored)


def add_reports(found: Machines, agents: Iterable[Point], hosts: Iterable[Point]) -> None:
    """Add raw points of the day, in any order, each point once."""
    for point in filter(certain, agents):
        _add_report(found.setdefault(_key(point), MachineFacts()), point)
    for point in filter(certain, hosts):
        if _key(point) in found:
            _add_host(found[_key(point)], point)


def settled(found: Machines, stored: Iterable[Point]) -> Machines:
    """`found`, which has all of the day's raw points so far, with its stored rows added."""
    for facts in found.values():
        sources = facts.boots.shared()
        if sources is not None:
            facts.shared, facts.shared_sources = True, sources
    for point in stored:
        _add_stored(found.setdefault(_key(point), MachineFacts()), point)
    return found


def unnamed(machines: Machines) -> list[MachineKey]:
    """The PCs without a hostname that day."""
    return [key for key, facts in machines.items() if not facts.hostname[1]]


def _key(point: Point) -> MachineKey:
    return point.tags.get("school", ""), point.tags.get("machine", "")


def _add_report(facts: MachineFacts, point: Point) -> None:
    millis = point.time // MS
    facts.first_ms = least(facts.first_ms, millis)
    facts.last_ms = most(facts.last_ms, millis)
    facts.reports += 1
    facts.hours |= hour_bit(millis)
    facts.boots.add(point)
    facts.weak |= point.fields.get("weak_id") is True
    facts.simulated |= point.fields.get("simulated") is True
    claimed = text(point.fields, "room")
    if claimed:
        facts.claimed = max(facts.claimed, (point.time, claimed))
    facts.late |= (number(point.fields, "late_days") or 0) >= LATE_DAYS
    _add_first(facts, point, "uptime_s")
    _add_agent(facts, point, point.time)


def _add_host(facts: MachineFacts, point: Point) -> None:
    name = text(point.fields, "hostname")
    if name:
        facts.hostname = max(facts.hostname, (point.time, name))
    _add_first(facts, point, "received_bytes")


def _add_first(facts: MachineFacts, point: Point, name: str) -> None:
    if name in point.fields:
        seen = point.time, point.fields[name]
        facts.first[_FIRST[name]] = min(facts.first.get(_FIRST[name], seen), seen)


def _add_agent(facts: MachineFacts, point: Point, time: int) -> None:
    for name in _AGENT_FIELDS:
        if name in point.fields and time >= facts.agent.get(name, (-1, 0))[0]:
            facts.agent[name] = (time, point.fields[name])


def _add_stored(facts: MachineFacts, row: Point) -> None:
    """Add a stored row of the day; there are several if the PC was bound to another room since."""
    fields = row.fields
    reports = number(fields, "reports") or 0
    _add_stored_first(facts, fields, reports)
    facts.first_ms = least(facts.first_ms, number(fields, "first_ms"))
    facts.last_ms = most(facts.last_ms, number(fields, "last_ms"))
    facts.reports = max(facts.reports, reports)
    facts.hours |= number(fields, "hours") or 0
    facts.boots_known = max(facts.boots_known, number(fields, "boots") or 0)
    facts.weak |= fields.get("weak_id") is True
    facts.shared |= fields.get("shared_id") is True
    facts.shared_sources = max(facts.shared_sources, text(fields, "shared_sources"))
    facts.simulated |= fields.get("simulated") is True
    facts.late |= fields.get("late") is True
    # Time 0: the day's own reports take precedence.
    facts.hostname = max(facts.hostname, (0, text(fields, "hostname")))
    facts.claimed = max(facts.claimed, (0, text(fields, "claimed")))
    _add_agent(facts, row, 0)
    facts.stored_room = max(facts.stored_room, (reports, row.tags.get("room", "")))


def _add_stored_first(facts: MachineFacts, fields: Mapping[str, Value], reports: int) -> None:
    """The stored first counters take precedence where the row's reports are partly deleted."""
    for name in _FIRST.values():
        if name in fields and (reports > facts.reports or name not in facts.first):
            facts.first[name] = (-1, fields[name])


def machine_points(
    machines: Machines, register: Register, day: dt.date, earlier: Mapping[MachineKey, str]
) -> list[Point]:
    """The `machine_day` points, each in the room that the register gives its PC."""
    time = midnight(day)
    rows = []
    for key, facts in sorted(machines.items()):
        if key[0] in register.schools:
            name = facts.hostname[1] or earlier.get(key, "")
            tags = _tags(key, facts, name, register)
            rows.append(Point("machine_day", tags, _fields(facts, name), time))
    return rows


def _tags(
    key: MachineKey, facts: MachineFacts, hostname: str, register: Register
) -> dict[str, str]:
    school, machine = key
    # If there are reports, a room that the register no longer has must not survive in the row.
    claimed = facts.claimed[1] if facts.boots.spans else facts.stored_room[1]
    room = register.room_for(school, machine, hostname, claimed)
    tags = {"school": school, "district": register.district_of(school), "machine": machine}
    return tags | ({"room": room} if room else {})


def _fields(facts: MachineFacts, hostname: str) -> dict[str, Value]:
    boots = max(facts.boots.count(), facts.boots_known)
    fields: dict[str, Value] = {
        "seen": True,
        "reports": facts.reports,
        "hours": facts.hours,
        "boots": boots,
        "weak_id": facts.weak,
    }
    known: dict[str, int | str | None]
    known = {"first_ms": facts.first_ms, "last_ms": facts.last_ms, "hostname": hostname or None}
    known["claimed"] = facts.claimed[1] or None
    fields |= {name: value for name, value in known.items() if value is not None}
    fields |= {name: value for name, (_, value) in facts.agent.items()}
    fields |= {name: value for name, (_, value) in facts.first.items()}
    fields |= {"late": True} if facts.late else {}
    if facts.shared:
        fields["shared_id"] = True
        fields |= {"shared_sources": facts.shared_sources} if facts.shared_sources else {}
    return fields | ({"simulated": True} if facts.simulated else {})

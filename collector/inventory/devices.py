"""Devices in their current state. Pure except `load`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from collector.keeper.sightings import identity_of, latest
from collector.keeper.state import RULE, Rule, Shown, shown
from collector.keeper.stateful import MARK, STATE_FIELDS, state_of
from collector.roster.register import Register
from collector.store import Point, Store

#: Devices without a report for this many days are not listed.
DAYS = 30
_TEXTS = ("maker", "model", "serial", "connector", "own_room")


class Device(NamedTuple):
    """One device: its place, description and state."""

    school: str
    room: str
    machine: str
    device: str
    kind: str
    maker: str
    model: str
    serial: str
    connector: str
    own_room: str  # from the settings of its PC, registered or not
    hostname: str  # of the PC that sees it
    state: Shown
    last_known: Shown  # as last reported; differs from `state` once the PC is silent
    last_report: int  # ms since 1970 UTC
    first: int  # ns since 1970 UTC: its first row in the window
    last: int  # and its last
    identity: str  # as `sightings.identity_of`; empty if nothing tells it from others of its kind


class Stock(NamedTuple):
    """Devices, and the rooms (school, room) whose PCs reported; nothing is known of others."""

    devices: list[Device]
    rooms: set[tuple[str, str]]


def load(
    store: Store, register: Register, now_ms: int, school: str = "", rule: Rule = RULE
) -> Stock:
    """The devices of the last `DAYS`, of one school or of all.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    stop = now_ms * 10**6
    start = stop - DAYS * 86_400 * 10**9
    tags = {"school": school} if school else None
    fields = [*STATE_FIELDS, *_TEXTS, "seen", "sightings"]
    rows = store.read("device_day", start, stop, tags, fields)
    pcs = list(store.read("machine_day", start, stop, tags, ["last_ms", "hostname"]))
    rooms = {(point.tags["school"], point.tags.get("room", "")) for point in pcs}
    return Stock(devices(rows, pcs, register, now_ms, rule), rooms)


def devices(
    rows: Iterable[Point],
    pcs: Iterable[Point],
    register: Register,
    now_ms: int,
    rule: Rule = RULE,
) -> list[Device]:
    """The devices of these `device_day` points, in their state at `now_ms`.

    `pcs` are `machine_day` points: a device's last report is its PC's last report.
    """
    last_reports: dict[tuple[str, str], int] = {}
    names: dict[tuple[str, str], str] = {}
    for point in sorted(pcs, key=lambda point: point.time):
        pc = point.tags["school"], point.tags["machine"]
        last_reports[pc] = max(last_reports.get(pc, 0), int(point.fields.get("last_ms", 0)))
        names[pc] = str(point.fields.get("hostname", "")) or names.get(pc, "")
    series: dict[tuple[str, str, str], list[Point]] = defaultdict(list)
    for point in rows:
        tags = point.tags
        if tags["school"] in register.schools and MARK in point.fields:
            series[tags["school"], tags["machine"], tags["device"]].append(point)
    found = [
        _device(points, last_reports.get(key[:2], 0), now_ms, rule)._replace(
            hostname=names.get(key[:2], "")
        )
        for key, points in series.items()
        if register.known_as(*key[:2]) == key[1] and not _retired(register, *key[:2])
    ]
    return sorted(found, key=lambda one: (one.school, one.room, one.kind, one.connector))


def _retired(register: Register, school: str, machine: str) -> bool:
    decided = register.decided.get((school, machine))
    return decided is not None and decided.act == "retire"


def _device(points: list[Point], pc_report: int, now_ms: int, rule: Rule) -> Device:
    # A display whose kind becomes known during the day has rows of two kinds that day.
    last = max(points, key=lambda point: (point.time, int(point.fields.get("looked_ms", 0))))
    tags, fields = last.tags, last.fields
    maker, model, serial, connector, own = (str(fields.get(name, "")) for name in _TEXTS)
    stored = state_of(fields)
    # A PC may report without this device: a probe failed, or it is no longer in the settings.
    last_report = min(pc_report, stored.last)
    state = shown(stored, now_ms, last_report, rule)
    last_known = shown(stored, last_report, last_report, rule)
    first = min(point.time for point in points)
    return Device(
        tags["school"], tags.get("room", ""), tags["machine"], tags["device"], tags["kind"],
        maker, model, serial, connector, own, "", state, last_known, last_report, first,
        last.time, _identified(last),
    )  # fmt: skip


def _identified(row: Point) -> str:
    """The identity of a stored device: of a display as the keeper found it, from all its EDID."""
    display, _, _ = latest(str(row.fields.get("sightings", ""))).partition(":")
    return display or identity_of(row.fields)


def faults(found: Iterable[Device]) -> list[Device]:
    """Devices faulty or missing as last reported: a PC that is off repairs nothing."""
    return [
        one
        for one in found
        if one.last_known.working == "fault" or one.last_known.presence == "missing"
    ]

"""Devices as they stand now, and against what the register says is owned. Pure but `load`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from collector.keeper.devices import PICTURES
from collector.keeper.observations import LISTED
from collector.keeper.state import RULE, Rule, Shown, shown
from collector.keeper.stateful import MARK, STATE_FIELDS, state_of
from collector.roster.register import Equipment, Register
from collector.store.base import Point, Store

#: A device of which nothing was reported for so long is not listed.
DAYS = 30
_TEXTS = ("maker", "model", "serial", "connector", "own_room")

Found = Literal["never_seen", "not_owned", "moved", "no_such_room"]


class Device(NamedTuple):
    """One device: where, what, and how it is."""

    school: str
    room: str
    machine: str
    device: str
    kind: str
    maker: str
    model: str
    serial: str
    connector: str
    own_room: str  # that the settings of its PC give it, registered or not
    hostname: str  # of the PC that sees it
    state: Shown
    last_known: Shown  # the same while its PC reports; else as last reported
    told: int  # when that was, ms since 1970 UTC
    first: int  # ns since 1970 UTC: its first row in the window
    last: int  # and its last


class Stock(NamedTuple):
    """Devices, and the rooms (school, room) whose PCs spoke: other rooms say nothing."""

    devices: list[Device]
    rooms: set[tuple[str, str]]


class Difference(NamedTuple):
    """One line of the register against telemetry."""

    found: Found
    school: str
    room: str
    kind: str
    number: int
    detail: str = ""  # of what moved, the room it is in now


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
    rows = store.read("device_day", start, stop, tags, [*STATE_FIELDS, *_TEXTS, "seen"])
    heard = list(store.read("machine_day", start, stop, tags, ["last_ms", "hostname"]))
    rooms = {(point.tags["school"], point.tags.get("room", "")) for point in heard}
    return Stock(devices(rows, heard, register, now_ms, rule), rooms)


def devices(
    rows: Iterable[Point],
    heard: Iterable[Point],
    register: Register,
    now_ms: int,
    rule: Rule = RULE,
) -> list[Device]:
    """The devices of these `device_day` points, as they stand at `now_ms`.

    `heard` are `machine_day` points: what a PC last said dates all that it sees.
    """
    last_heard: dict[tuple[str, str], int] = {}
    names: dict[tuple[str, str], str] = {}
    for point in sorted(heard, key=lambda point: point.time):
        pc = point.tags["school"], point.tags["machine"]
        last_heard[pc] = max(last_heard.get(pc, 0), int(point.fields.get("last_ms", 0)))
        names[pc] = str(point.fields.get("hostname", "")) or names.get(pc, "")
    series: dict[tuple[str, str, str], list[Point]] = defaultdict(list)
    for point in rows:
        tags = point.tags
        if tags["school"] in register.schools and MARK in point.fields:
            series[tags["school"], tags["machine"], tags["device"]].append(point)
    found = [
        _device(points, last_heard.get(key[:2], 0), now_ms, rule)._replace(
            hostname=names.get(key[:2], "")
        )
        for key, points in series.items()
        if register.known_as(*key[:2]) == key[1] and not _retired(register, *key[:2])
    ]
    return sorted(found, key=lambda one: (one.school, one.room, one.kind, one.connector))


def _retired(register: Register, school: str, machine: str) -> bool:
    decided = register.decided.get((school, machine))
    return decided is not None and decided.act == "retire"


def _device(points: list[Point], heard: int, now_ms: int, rule: Rule) -> Device:
    # A display that says later in the day what it is has rows of two kinds that day.
    last = max(points, key=lambda point: (point.time, int(point.fields.get("looked_ms", 0))))
    tags, fields = last.tags, last.fields
    maker, model, serial, connector, own = (str(fields.get(name, "")) for name in _TEXTS)
    kept = state_of(fields)
    # A PC may speak and say nothing of this device: a probe fails, or it is no more listed there.
    told = min(heard, kept.last)
    state, last_known = shown(kept, now_ms, told, rule), shown(kept, told, told, rule)
    first = min(point.time for point in points)
    return Device(
        tags["school"], tags.get("room", ""), tags["machine"], tags["device"], tags["kind"],
        maker, model, serial, connector, own, "", state, last_known, told, first, last.time,
    )  # fmt: skip


def faults(found: Iterable[Device]) -> list[Device]:
    """Those broken or gone, or so when last reported: a PC that is off repairs no projector."""
    return [
        one
        for one in found
        if one.last_known.working == "fault" or one.last_known.presence == "missing"
    ]


def differences(stock: Stock, register: Register, school: str = "") -> list[Difference]:
    """The register against telemetry: owned and never seen, seen and not owned, moved.

    A device that was given a room that does not exist is listed apart: it counts in no room.
    A projector on the network and one on a PC's socket may be the same: neither is too many.

    Only what telemetry can see is compared, in rooms whose PC speaks or whose device is known;
    a silent room says nothing. Screens and cameras that are built in are not owned apart.
    """
    listed = [one for one in stock.devices if school in ("", one.school)]
    lost = [one for one in listed if one.own_room and not one.room]
    most, least = _by_room([one for one in listed if one not in lost])
    for key in stock.rooms:
        most.setdefault(key, Counter())
    owned = {
        key: rows
        for key, rows in register.equipment_of.items()
        if school in ("", key[0]) and key[0] in register.schools
    }
    moved = list(_moved(listed, owned))
    away = Counter((row.school, row.room, row.kind) for row in moved)
    here = Counter((row.school, row.detail, row.kind) for row in moved)
    rest = [*_never_seen(owned, most, away), *_not_owned(owned, least, here)]
    rest += [Difference("no_such_room", d.school, d.own_room, d.kind, 1) for d in lost]
    return sorted([*moved, *rest], key=lambda row: (row.school, row.room, row.found, row.kind))


_PIECES = frozenset({*PICTURES, "document_camera", "printer"})
_SEEN_KINDS = _PIECES | {"camera", "microphone", "sound", "touch"}


_Rooms = dict[tuple[str, str], Counter[str]]


def _by_room(found: Iterable[Device]) -> tuple[_Rooms, _Rooms]:
    """How many of each kind a room has, at most and at least.

    One address, or one maker, model and serial, is one device, though two PCs report it: both
    of a room, or the one that was taken away and its successor. One of the network may be the
    one on a socket, and one that is missing is none too many.
    """
    most: _Rooms = defaultdict(Counter)
    asked: Counter[tuple[str, str, str]] = Counter()
    wired: Counter[tuple[str, str, str]] = Counter()
    for one in {_itself(one): one for one in found}.values():
        key = one.school, one.room, one.kind
        most[one.school, one.room][one.kind] += 1
        if one.last_known.presence != "missing":
            (asked if one.connector.startswith(LISTED) else wired)[key] += 1
    least: _Rooms = defaultdict(Counter)
    for school, room, kind in asked.keys() | wired.keys():
        least[school, room][kind] = max(asked[school, room, kind], wired[school, room, kind])
    return most, least


def _itself(one: Device) -> tuple[str, ...]:
    """What two sightings in one room must share to be of one device."""
    place = one.school, one.room, one.kind
    if one.connector.startswith(LISTED):
        return *place, one.connector
    words = one.maker, one.model, one.serial
    return (*place, *words) if all(words) else (*place, one.machine, one.device)


def _never_seen(
    owned: Mapping[tuple[str, str], list[Equipment]],
    seen: Mapping[tuple[str, str], Counter[str]],
    away: Counter[tuple[str, str, str]],
) -> Iterator[Difference]:
    for (school, room), rows in owned.items():
        if (school, room) not in seen:
            continue
        for kind, count in _counts(rows).items():
            lacking = count - seen[school, room][kind] - away[school, room, kind]
            if kind in _SEEN_KINDS and lacking > 0:
                yield Difference("never_seen", school, room, kind, lacking)


def _not_owned(
    owned: Mapping[tuple[str, str], list[Equipment]],
    seen: Mapping[tuple[str, str], Counter[str]],
    here: Counter[tuple[str, str, str]],
) -> Iterator[Difference]:
    for (school, room), kinds in seen.items():
        counts = _counts(owned.get((school, room), []))
        for kind, count in kinds.items():
            more = count - counts[kind] - here[school, room, kind]
            if kind in _PIECES and more > 0:
                yield Difference("not_owned", school, room, kind, more)


def _counts(rows: Iterable[Equipment]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row.kind] += row.count
    return counts


def _moved(
    found: Iterable[Device], owned: Mapping[tuple[str, str], list[Equipment]]
) -> Iterator[Difference]:
    """Devices whose serial the register has in another room of their school."""
    home = {
        (school, row.serial): (room, row.kind)
        for (school, room), rows in owned.items()
        for row in rows
        if row.serial
    }
    latest: dict[tuple[str, str], Device] = {}
    for one in found:
        key = one.school, one.serial
        if key in home and (key not in latest or one.last >= latest[key].last):
            latest[key] = one
    for key, one in latest.items():
        room, kind = home[key]
        if one.room and one.room != room and one.state.presence != "missing":
            yield Difference("moved", one.school, room, kind, 1, one.room)

"""The register compared with what telemetry saw of devices. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from collector.compliance.displays import UNKNOWN
from collector.inventory.devices import Device, Stock
from collector.keeper.devices import LISTED, PICTURES
from collector.roster.register import Equipment, Register

Found = Literal["never_seen", "not_owned", "moved", "no_such_room"]


class Difference(NamedTuple):
    """One difference between the register and telemetry."""

    found: Found
    school: str
    room: str
    kind: str
    number: int
    detail: str = ""  # of a device that moved: its room now


def differences(stock: Stock, register: Register, school: str = "") -> list[Difference]:
    """The register compared with telemetry: owned but never seen, seen but not owned, moved.

    A device whose settings name an unknown room counts in no room and is `no_such_room`. A
    network projector and one on a PC's connector may be the same device, so neither is surplus.

    Only kinds that telemetry can see are compared, in rooms whose PC reports or with a known
    device. Built-in screens and cameras need no row of their own in the register.
    """
    listed = [one for one in stock.devices if school in ("", one.school)]
    unplaced = [one for one in listed if one.own_room and not one.room]
    most, least = _by_room([one for one in listed if one not in unplaced])
    for key in stock.rooms:
        most.setdefault(key, Counter())
    owned = {
        key: rows
        for key, rows in register.equipment_of.items()
        if school in ("", key[0]) and key[0] in register.schools
    }
    moved = list(_moved(listed, owned))
    moved_from = Counter((row.school, row.room, row.kind) for row in moved)
    moved_to = Counter((row.school, row.detail, row.kind) for row in moved)
    rest = [*_never_seen(owned, most, moved_from), *_not_owned(owned, least, moved_to)]
    rest += [Difference("no_such_room", d.school, d.own_room, d.kind, 1) for d in unplaced]
    return sorted([*moved, *rest], key=lambda row: (row.school, row.room, row.found, row.kind))


_PIECES = frozenset({*PICTURES, "document_camera", "printer"})
_SEEN_KINDS = _PIECES | {"camera", "microphone", "sound", "touch"}


_Rooms = dict[tuple[str, str], Counter[str]]


def _by_room(found: Iterable[Device]) -> tuple[_Rooms, _Rooms]:
    """How many devices of each kind a room has, at most and at least.

    The same address, or maker, model and serial, is one device even if two PCs report it: two of
    one room, or a PC and its replacement. A network device may be the one on a connector, and a
    missing one is not surplus.
    """
    most: _Rooms = defaultdict(Counter)
    networked: Counter[tuple[str, str, str]] = Counter()
    wired: Counter[tuple[str, str, str]] = Counter()
    for one in {_identity(one): one for one in found}.values():
        key = one.school, one.room, one.kind
        most[one.school, one.room][one.kind] += 1
        if one.last_known.presence != "missing":
            (networked if one.connector.startswith(LISTED) else wired)[key] += 1
    least: _Rooms = defaultdict(Counter)
    for school, room, kind in networked.keys() | wired.keys():
        least[school, room][kind] = max(networked[school, room, kind], wired[school, room, kind])
    return most, least


def _identity(one: Device) -> tuple[str, ...]:
    """What two reports from one room have in common if they are of one device."""
    place = one.school, one.room, one.kind
    if one.connector.startswith(LISTED):
        return *place, one.connector
    words = one.maker, one.model, one.serial
    return (*place, *words) if all(words) else (*place, one.machine, one.device)


def _never_seen(
    owned: Mapping[tuple[str, str], list[Equipment]],
    seen: Mapping[tuple[str, str], Counter[str]],
    moved_from: Counter[tuple[str, str, str]],
) -> Iterator[Difference]:
    for (school, room), rows in owned.items():
        if (school, room) not in seen:
            continue
        for kind, count in _counts(rows).items():
            lacking = count - seen[school, room][kind] - moved_from[school, room, kind]
            if kind in _SEEN_KINDS and lacking > 0:
                yield Difference("never_seen", school, room, kind, lacking)


def _not_owned(
    owned: Mapping[tuple[str, str], list[Equipment]],
    seen: Mapping[tuple[str, str], Counter[str]],
    moved_to: Counter[tuple[str, str, str]],
) -> Iterator[Difference]:
    for (school, room), kinds in seen.items():
        counts = _counts(owned.get((school, room), []))
        for kind, count in kinds.items():
            more = count - counts[kind] - moved_to[school, room, kind]
            if kind in _PIECES and more > 0:
                yield Difference("not_owned", school, room, kind, more)


def _counts(rows: Iterable[Equipment]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row.kind.removesuffix("_without_pc")] += row.count
    return counts


def _moved(
    found: Iterable[Device], owned: Mapping[tuple[str, str], list[Equipment]]
) -> Iterator[Difference]:
    """Devices that the register has in another room of the same school, by their serial.

    A serial alone proves nothing: it must stand once in the register, and be of one identity.
    """
    homes: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for (school, room), rows in owned.items():
        for row in rows:
            if row.serial:
                homes[school, row.serial].append((room, row.kind.removesuffix("_without_pc")))
    seen: dict[tuple[str, str], list[Device]] = defaultdict(list)
    for one in found:
        seen[one.school, one.serial].append(one)
    for key, places in homes.items():
        (room, kind), elsewhere = places[0], _place_of_one(seen.get(key, []), places[0][1])
        if len(places) == 1 and elsewhere not in ("", room):
            yield Difference("moved", key[0], room, kind, 1, elsewhere)


def _place_of_one(found: list[Device], kind: str) -> str:
    """The room where these devices of one serial are now; empty unless they prove to be one.

    The same identity in two rooms at one time is two devices, another kind is another device.
    """
    if len({one.identity for one in found}) != 1 or not found[0].identity:
        return ""
    last = max(one.last for one in found)
    now = [one for one in found if one.last == last and one.state.presence != "missing"]
    rooms = {one.room for one in now if one.kind in (kind, UNKNOWN)}
    return rooms.pop() if len(rooms) == 1 else ""

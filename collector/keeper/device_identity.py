"""Recognizes one device under several ids. Pure.

An agent makes a device's id from its kind and connector. So a document camera moved to another USB
port, or a projector whose EDID is hidden in standby, gets a new id, and the old id is reported as
absent: a device that is present would count as missing for a month. Here such points get the id
under which the device was known before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from collector.keeper.devices import LISTED, DeviceKey
from collector.keeper.fields import certain, text
from collector.keeper.midnight import MS
from collector.keeper.observations import Known, display_of, key_of, words_of
from collector.keeper.sightings import HIDDEN
from collector.store import Point

#: The kind of a display whose EDID did not say what it is.
_UNREAD = "display"
_DISPLAYS = frozenset({_UNREAD, "monitor", "projector", "panel", "tv"})


class LastSeen(NamedTuple):
    """A device at its last report as present."""

    last: int
    kind: str
    connector: str
    words: tuple[str, str, str]  # maker, model, serial
    display: str = ""  # as `identity:kind`


LastSeenOf = dict[DeviceKey, LastSeen]


def merge_identities(devices: Iterable[Point], before: Mapping[DeviceKey, Known]) -> list[Point]:
    """The day's raw `device` points, each with the id under which its device is known.

    `before` holds the devices as known after the days before. Absences of ids that are not a
    device's own are dropped; network devices listed in the settings are not changed.
    """
    return merge_reports(devices, last_seen(before))


def last_seen(before: Mapping[DeviceKey, Known]) -> LastSeenOf:
    """The devices at their last reports as present, as the days before left them."""
    return {
        key: LastSeen(known.state.last, known.kind, known.connector, known.words, known.display)
        for key, known in before.items()
    }


def merge_reports(devices: Iterable[Point], seen: LastSeenOf) -> list[Point]:
    """As `merge_identities`, from the devices `seen` so far, which is brought up to date.

    Reports may come in several calls, each with later ones than the call before.
    """
    pcs: dict[tuple[str, str], LastSeenOf] = defaultdict(dict)
    for key, one in seen.items():
        pcs[key[:2]][key] = one
    reports: dict[tuple[int, str, str], list[Point]] = defaultdict(list)
    found = []
    for point in devices:
        pc = key_of(point)[:2]
        if certain(point) and not _connector(point).startswith(LISTED):
            reports[point.time // MS, *pc].append(point)
        else:
            found.append(point)
    for (_, school, machine), points in sorted(reports.items()):
        # Of two new ids that fit one device, the same must win in any order of the points.
        found += _merge_report(sorted(points, key=key_of), pcs[school, machine])
    for known in pcs.values():
        seen |= known
    return found


def _merge_report(points: list[Point], devices: LastSeenOf) -> Iterator[Point]:
    """One report's points, one for each device; `devices`, those of the PC, is updated."""
    absent = [point for point in points if point.fields.get("present") is False]
    present = [point for point in points if point.fields.get("present") is not False]
    taken = {key for point in present if (key := key_of(point)) in devices}
    for point in present:
        key = key_of(point)
        if key not in devices:
            key = _known_as(point, devices, taken) or key
            taken.add(key)
        merged = _with_key(point, key, devices.get(key))
        words, kind, display = words_of(merged), merged.tags.get("kind", ""), display_of(merged)
        if key in devices:
            words = words if any(words) else devices[key].words
            display = display or devices[key].display
        devices[key] = LastSeen(point.time // MS, kind, _connector(point), words, display)
        yield merged
    yield from (point for point in absent if key_of(point) in devices.keys() - taken)


def _known_as(point: Point, devices: LastSeenOf, taken: set[DeviceKey]) -> DeviceKey | None:
    """The known device that a new id belongs to; of several that fit, the one seen last."""
    free = {key: known for key, known in devices.items() if key not in taken}
    fits = [key for key, known in free.items() if _moved(point, known) or _renamed(point, known)]
    return max(fits, key=lambda key: (free[key].last, key), default=None)


def _moved(point: Point, known: LastSeen) -> bool:
    """Whether it is the same device on another connector.

    Two TVs may share maker, model and serial: where both have a whole identity, it decides.
    """
    kind, words = point.tags.get("kind", ""), words_of(point)
    # The stored kind of a display may come from the register, so any display kind fits another.
    same_kind = kind == known.kind or {kind, known.kind} <= _DISPLAYS
    here, then = (display.partition(":")[0] for display in (display_of(point), known.display))
    same = here == then or not (here and then)
    return same_kind and same and bool(words[1]) and words == known.words


def _renamed(point: Point, known: LastSeen) -> bool:
    """Whether it is a display on the same connector whose EDID is unreadable now or was then."""
    if known.connector != _connector(point) or known.kind not in _DISPLAYS:
        return False
    return _unread(point) or (point.tags.get("kind") in _DISPLAYS and not known.words[1])


def _unread(point: Point) -> bool:
    return point.tags.get("kind") == _UNREAD and not text(point.fields, "model")


def _with_key(point: Point, key: DeviceKey, known: LastSeen | None) -> Point:
    """The point under the known device's id.

    It takes the known kind only if the device's model was ever read: otherwise that kind may be
    from the register of an earlier day. With it goes the display that it was, so that one whose
    EDID is hidden stays the same.
    """
    if known is None or not _was_read(known) or not _unread(point):
        tags = {**point.tags, "device": key[2]}
        return point if tags == point.tags else point._replace(tags=tags)
    fields = {**point.fields, HIDDEN: known.display} if known.display else point.fields
    tags = {**point.tags, "device": key[2], "kind": known.kind}
    return point._replace(tags=tags, fields=fields)


def _was_read(known: LastSeen) -> bool:
    """Whether its EDID was: on days when it is hidden throughout, the words are not stored."""
    return bool(known.words[1]) or known.display not in ("", f":{_UNREAD}")


def _connector(point: Point) -> str:
    return text(point.fields, "connector")

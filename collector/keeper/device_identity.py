"""One device stays one, though its socket or its words change. Pure.

An agent names a device by its kind and its connector, so a document camera in another USB port,
and a projector whose standby hides its EDID, come under another name while the old one is told
as absent: a device that is there would be missing for a month. So the day's points are said
anew, of the device that they are of, by what was known of the PC's devices at each report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from collector.keeper.devices import DeviceKey
from collector.keeper.fields import certain, text
from collector.keeper.midnight import MS
from collector.keeper.observations import LISTED, Known, key_of, words_of
from collector.store.base import Point

#: Its words told nothing of what it is.
_UNREAD = "display"
_DISPLAYS = frozenset({_UNREAD, "monitor", "projector", "panel", "tv"})


class _Piece(NamedTuple):
    """What a device was when it was last there."""

    last: int
    kind: str
    connector: str
    words: tuple[str, str, str]  # maker, model, serial


_Pieces = dict[DeviceKey, _Piece]


def same(devices: Iterable[Point], before: Mapping[DeviceKey, Known]) -> list[Point]:
    """The day's raw `device` points, each said of the device that it is of.

    `before` is how the days before left the devices. Absences of names that were never a
    device's own are left out; of what the settings list on the network, nothing is changed.
    """
    pcs: dict[tuple[str, str], _Pieces] = defaultdict(dict)
    for key, one in before.items():
        pcs[key[:2]][key] = _Piece(one.state.last, one.kind, one.connector, one.words)
    devices = list(devices)
    # On most days of most PCs every name is known, and nothing is to be said anew.
    odd = {key_of(p)[:2] for p in devices if key_of(p) not in before or _unread(p)}
    reports: dict[tuple[int, str, str], list[Point]] = defaultdict(list)
    found = []
    for point in devices:
        pc = key_of(point)[:2]
        if pc in odd and certain(point) and not _connector(point).startswith(LISTED):
            reports[point.time // MS, *pc].append(point)
        else:
            found.append(point)
    for (_, school, machine), points in sorted(reports.items()):
        # Two new names may stand for one device: which one does must not go by a store's order.
        found += _report(sorted(points, key=key_of), pcs[school, machine])
    return found


def _report(points: list[Point], pieces: _Pieces) -> Iterator[Point]:
    """One report's points, in which a device is told once."""
    gone = [point for point in points if point.fields.get("present") is False]
    here = [point for point in points if point.fields.get("present") is not False]
    taken = {key for point in here if (key := key_of(point)) in pieces}
    for point in here:
        key = key_of(point)
        if key not in pieces:
            key = _known_as(point, pieces, taken) or key
            taken.add(key)
        said = _said_of(point, key, pieces.get(key))
        words = words_of(said)
        if not any(words) and key in pieces:
            words = pieces[key].words
        pieces[key] = _Piece(point.time // MS, said.tags.get("kind", ""), _connector(point), words)
        yield said
    yield from (point for point in gone if key_of(point) in pieces.keys() - taken)


def _known_as(point: Point, pieces: _Pieces, taken: set[DeviceKey]) -> DeviceKey | None:
    """The device that this new name stands for: the one last seen of those that it may be."""
    free = {key: piece for key, piece in pieces.items() if key not in taken}
    fits = [key for key, piece in free.items() if _moved(point, piece) or _told_anew(point, piece)]
    return max(fits, key=lambda key: (free[key].last, key), default=None)


def _moved(point: Point, piece: _Piece) -> bool:
    """One maker, model and serial, on another connector."""
    kind, words = point.tags.get("kind", ""), words_of(point)
    # Which display it is may be the register's word, that stands in the rows of the days before.
    alike = kind == piece.kind or {kind, piece.kind} <= _DISPLAYS
    return alike and bool(words[1]) and words == piece.words


def _told_anew(point: Point, piece: _Piece) -> bool:
    """A display on the same connector, whose words are hidden now, or were then."""
    if piece.connector != _connector(point) or piece.kind not in _DISPLAYS:
        return False
    return _unread(point) or (point.tags.get("kind") in _DISPLAYS and not piece.words[1])


def _unread(point: Point) -> bool:
    return point.tags.get("kind") == _UNREAD and not text(point.fields, "model")


def _said_of(point: Point, key: DeviceKey, piece: _Piece | None) -> Point:
    """What never told its words is what the register of its day says, and not that of another."""
    hidden = piece is not None and piece.words[1] and _unread(point)
    kind = piece.kind if piece is not None and hidden else point.tags.get("kind", "")
    tags = {**point.tags, "device": key[2], "kind": kind}
    return point if tags == point.tags else point._replace(tags=tags)


def _connector(point: Point) -> str:
    return text(point.fields, "connector")

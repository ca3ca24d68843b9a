"""The derived rows of a school's day, as the store has them."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from collector.keeper.machines import MachineKey
from collector.keeper.places import pc_of
from collector.store import Point, Store

_AT_MIDNIGHT = ("machine_day", "device_day", "room_day", "school_day")
_DURING = ("school_hour",)
_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(list[Point])
Key = tuple[frozenset[tuple[str, str]], int]


class Rows:
    """Read once, then brought up to date by what is written."""

    def __init__(self, store: Store, school: str, start: int, stop: int) -> None:
        """Read the rows of [start, stop), ns since 1970 UTC.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        tags = {"school": school}
        self._events: dict[MachineKey, bytes] = {}
        self._add_events(store.read("event", start, stop, tags))
        self.of: dict[str, dict[Key, Point]] = {
            name: {
                key_of(point): point
                for point in store.read(name, start, stop if name in _DURING else start + 1, tags)
            }
            for name in (*_AT_MIDNIGHT, *_DURING)
        }

    def add(self, points: Iterable[Point]) -> None:
        """These are written: a later value of a field wins, other stored fields stay."""
        rows = list(points)
        self._add_events(point for point in rows if point.measurement == "event")
        for point in rows:
            if point.measurement != "event":
                _merge(self.of[point.measurement], point)

    def events(self, keys: Iterable[MachineKey] | None = None) -> list[Point]:
        """The events of these PCs, default: of all."""
        wanted = self._events if keys is None else keys
        return [
            point
            for key in wanted
            if key in self._events
            for point in unpacked_rows(self._events[key])
        ]

    def _add_events(self, points: Iterable[Point]) -> None:
        of: dict[MachineKey, list[Point]] = defaultdict(list)
        for point in points:
            of[pc_of(point)].append(point)
        for key, news in of.items():
            rows: dict[Key, Point] = {}
            for point in [*self.events([key]), *news]:
                _merge(rows, point)
            self._events[key] = packed_rows(rows.values())

    def forget(self, points: Iterable[Point]) -> None:
        """The caller keeps these itself."""
        for point in points:
            self.of[point.measurement].pop(key_of(point), None)


def changed(points: Iterable[Point], stored: Iterable[Point]) -> Iterator[Point]:
    """The points that the store lacks or has with other values: most runs change nothing.

    Whole ones: where only some fields of a row are written, openGemini lacks the others for a
    while in queries with a condition on a field.
    """
    known = {key_of(point): point.fields for point in stored}
    for point in points:
        fields = known.get(key_of(point))
        if fields is None or not point.fields.items() <= fields.items():
            yield point


def packed_rows(points: Iterable[Point]) -> bytes:
    """Rows, small; `unpacked_rows` gives them back."""
    return zlib.compress(_ENCODER.encode(list(points)), 1)


def unpacked_rows(data: bytes) -> list[Point]:
    """The rows that were packed."""
    return _DECODER.decode(zlib.decompress(data))


def _merge(rows: dict[Key, Point], point: Point) -> None:
    key = key_of(point)
    known = rows.get(key)
    rows[key] = point if known is None else point._replace(fields={**known.fields, **point.fields})


def key_of(point: Point) -> Key:
    """What a store knows a point of a measurement by."""
    return frozenset(point.tags.items()), point.time

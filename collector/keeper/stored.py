"""The derived rows of a school's day, as the store has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from collector.store import Point, Store

_AT_MIDNIGHT = ("machine_day", "device_day", "room_day", "school_day")
_DURING = ("event", "school_hour")
Key = tuple[frozenset[tuple[str, str]], int]


class Rows:
    """Read once, then brought up to date by what is written."""

    def __init__(self, store: Store, school: str, start: int, stop: int) -> None:
        """Read the rows of [start, stop), ns since 1970 UTC.

        Raises:
            UnavailableError, MisconfiguredError: as `Store.read`.
        """
        tags = {"school": school}
        self.of: dict[str, dict[Key, Point]] = {
            name: {
                _key(point): point
                for point in store.read(name, start, stop if name in _DURING else start + 1, tags)
            }
            for name in (*_AT_MIDNIGHT, *_DURING)
        }

    def add(self, points: Iterable[Point]) -> None:
        """These are written: a later value of a field wins, other stored fields stay."""
        for point in points:
            rows, key = self.of[point.measurement], _key(point)
            known = rows.get(key)
            rows[key] = (
                point if known is None else point._replace(fields={**known.fields, **point.fields})
            )

    def forget(self, points: Iterable[Point]) -> None:
        """The caller keeps these itself."""
        for point in points:
            self.of[point.measurement].pop(_key(point), None)


def changed(points: Iterable[Point], stored: Iterable[Point]) -> Iterator[Point]:
    """The points that the store lacks or has with other values: most runs change nothing."""
    known = {_key(point): point.fields for point in stored}
    for point in points:
        fields = known.get(_key(point))
        if fields is None or not point.fields.items() <= fields.items():
            yield point


def _key(point: Point) -> Key:
    return frozenset(point.tags.items()), point.time

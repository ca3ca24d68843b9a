"""A store whose writes return once they are read: for servers where that takes a while."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from collector.config import Config
from collector.schema import MEASUREMENTS
from collector.store.base import Point, RejectedError, Store
from collector.store.factory import open_store

_POLL_S = 0.05


def opened(settings: Config) -> Any:
    """The store that the settings name; a write to it can be read once it has returned."""
    store = open_store(settings)
    return Settled(store) if store.limits.readable_s else store


class Settled:
    """Passes all on to `store`; `write` returns when its points are read.

    Fails if that takes longer than the store says of itself.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._fields: dict[tuple[Any, ...], set[str]] = {}  # of each point, by all writes of it

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, points: Sequence[Point]) -> None:
        """As `Store.write`."""
        refused: Sequence[Point] = ()
        try:
            self._store.write(points)
        except RejectedError as error:
            refused = error.points
            raise
        finally:
            self._settle([point for point in points if point not in refused])

    def _settle(self, points: Sequence[Point]) -> None:
        until = time.monotonic() + self._store.limits.readable_s
        while missing := self._missing(points):
            assert time.monotonic() < until, f"not read in time: {missing[:3]}"
            time.sleep(_POLL_S)

    def _missing(self, points: Sequence[Point]) -> list[tuple[Any, ...]]:
        """The keys of those whose required fields are all written, and that no read gives yet."""
        for point in points:
            self._fields.setdefault(_key(point), set()).update(point.fields)
        wanted = {
            key
            for key in map(_key, points)
            if self._fields[key] >= set(MEASUREMENTS[key[0]].required)
        }
        found: set[tuple[Any, ...]] = set()
        for name in {key[0] for key in wanted}:
            times = [key[1] for key in wanted if key[0] == name]
            found |= set(map(_key, self._store.read(name, min(times), max(times) + 1)))
        return sorted(wanted - found)

    def __enter__(self) -> Settled:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()


def _key(point: Point) -> tuple[Any, ...]:
    tags = sorted((name, value) for name, value in point.tags.items() if value)
    return point.measurement, point.time, *tags

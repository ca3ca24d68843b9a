"""A cluster of openGemini as the town's database, members of which are killed: see `matrix.py`."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import gemini
from agent.common.calendar import CITY_TIME
from collector.config import Config, Store
from collector.keeper import Keeper
from collector.roster.book import RegisterBook
from collector.store import Store as AnyStore
from collector.store import buckets
from collector.store.base import StoreError
from collector.store.factory import open_store

#: What the keeper derives and the figure is made of.
_DERIVED = ("machine_day", "device_day", "room_day", "line_day", "school_day", "event", "indicator")
_RAW = ("agent", "host", "device", "presence", "line_test", "line_record")
_PATIENCE_S = 300.0
_wait = threading.Event().wait
_T = TypeVar("_T")


class Clustered:
    """Three nodes of openGemini, as `town_database.Database` is one InfluxDB."""

    def __init__(self, folder: Path, opened: contextlib.ExitStack) -> None:
        self.cluster = opened.enter_context(gemini.cluster(folder))
        first, *others = self.cluster.urls
        self.store = Store("opengemini", first, org="", urls=others)
        buckets.set_up(self.store)
        gemini.wait_readable(Config(store=self.store))

    def kills(self, kind: str, cycles: int, rng: random.Random) -> Iterator[None]:
        """Kill a member of a kind by -9 and start it again, so often, at random moments."""
        for _ in range(cycles):
            name = rng.choice([name for name in self.cluster.NAMES if name.startswith(kind)])
            self.cluster.kill(name)
            _wait(rng.uniform(0.0, 4.0))
            self.cluster.start(name)
            self.cluster.wait(1 if name == "sql1" else 0)
            _wait(rng.uniform(0.5, 3.0))
            yield


def patient(ask: Callable[[], _T]) -> _T:
    """What it gives once the cluster answers."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return ask()
        except StoreError:
            if time.monotonic() > until:
                raise
            _wait(0.5)


def derived_alike(config: Config, folder: Path) -> str:
    """What differs between the rows derived there, kills and all, and those of the same raw rows
    in an SQLite store that nobody hurt; empty where nothing does.
    """
    register = RegisterBook(config.folder / "register.db").load()
    day = dt.datetime.now(CITY_TIME).date()
    with open_store(config) as hurt, open_store(Config(data=str(folder))) as whole:
        for name in _RAW:
            whole.write(patient(lambda name=name: list(hurt.read(name, 0, 2**62))))  # type: ignore[misc]
        for store in (hurt, whole):
            keeper = Keeper(store, lambda: register, config.figure, config.city)
            patient(lambda keeper=keeper: keeper.derive([day]))  # type: ignore[misc]
            _wait(store.limits.readable_s)
            patient(lambda keeper=keeper: keeper.judge(day))  # type: ignore[misc]
            _wait(store.limits.readable_s)
        pairs = ((name, _rows(hurt, name), _rows(whole, name)) for name in _DERIVED)
        return "; ".join(_difference(*pair) for pair in pairs if pair[1] != pair[2])


def _rows(store: AnyStore, name: str) -> dict[Any, dict[str, Any]]:
    """The fields of each row by its tags and time."""
    found = patient(lambda: list(store.read(name, 0, 2**62)))
    return {(*sorted(row.tags.items()), row.time): dict(row.fields) for row in found}


def _difference(name: str, hurt: dict[Any, Any], whole: dict[Any, Any]) -> str:
    """How many rows differ, and the fields of one of them."""
    keys = [key for key in hurt.keys() | whole.keys() if hurt.get(key) != whole.get(key)]
    one, other = hurt.get(keys[0], {}), whole.get(keys[0], {})
    fields = [field for field in one.keys() | other.keys() if one.get(field) != other.get(field)]
    shown = ", ".join(f"{x} {one.get(x)!r} not {other.get(x)!r}" for x in sorted(fields))
    return f"{name} in {len(keys)} of {len(whole)} rows: {shown}"

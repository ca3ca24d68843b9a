"""Which PCs have a place, learnt from the store: by a new collector, and from others of a group."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.roster.register import Register
from collector.service import machine_watch as module
from collector.service.machine_watch import MachineWatch
from collector.service.pipeline.known_machines import KnownMachines
from collector.store.base import Point, UnavailableError
from collector.store.sqlite import SqliteStore

SCHOOL = "9900000001"
DAY_NS = 86_400 * 10**9
NOW = time.time_ns()


def pc(n: int) -> str:
    return f"{n:032x}"


def seen(n: int, days_ago: int) -> Point:
    tags = {"school": SCHOOL, "district": "630102", "machine": pc(n)}
    return Point("machine_day", tags, {"seen": True}, NOW - days_ago * DAY_NS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "store.db", telemetry_days=36500) as opened:
        yield opened


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[KnownMachines]:
    made = KnownMachines(tmp_path / "machines.db", lambda: Register(schools={}))
    yield made
    made.close()


def ended(watch: MachineWatch) -> bool:
    watch._thread.join(60)
    return not watch.alive


def test_a_new_collector_knows_who_reported_before(store: Any, machines: KnownMachines) -> None:
    store.write([seen(n, n) for n in range(1, 80)])
    watch = MachineWatch(store, machines, shared=False)
    watch.start()
    assert ended(watch), "one that is alone reads once"
    assert machines.learnt
    assert 58 <= machines.count(SCHOOL) <= 60
    assert machines.admit(SCHOOL, pc(5), 1, NOW // 10**6)
    assert not machines.admit(SCHOOL, pc(500), 1, NOW // 10**6)


def test_one_with_a_file_reads_nothing(store: Any, machines: KnownMachines) -> None:
    machines.learn(())
    watch = MachineWatch(store, machines, shared=False)
    watch.start()
    assert not watch.alive


def test_a_store_that_is_down_is_asked_again(
    store: Any, machines: KnownMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write([seen(1, 1)])
    real, failures = store.read, [UnavailableError("down")] * 2

    def read(*words: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(*words, **more)

    monkeypatch.setattr(store, "read", read)
    monkeypatch.setattr(module, "_RETRY_S", 0.0)
    watch = MachineWatch(store, machines, shared=False)
    assert machines.admit(SCHOOL, pc(9), 0, NOW // 10**6), "nobody is held while it is not known"
    watch.start()
    assert ended(watch)
    assert machines.count(SCHOOL) == 1


def test_in_a_group_it_learns_whom_another_let_in(
    store: Any, machines: KnownMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_EVERY_S", 0.0)
    learnt, real = threading.Event(), machines.learn

    def learn(found: Any) -> None:
        real(found)
        if machines.count(SCHOOL):
            learnt.set()

    monkeypatch.setattr(machines, "learn", learn)
    watch = MachineWatch(store, machines, shared=True)
    watch.start()
    store.write([seen(7, 0)])
    assert learnt.wait(60)
    watch.stop(60)
    assert not watch.alive
    assert machines.admit(SCHOOL, pc(7), 0, NOW // 10**6)

"""A real cluster of openGemini whose members are killed: rows are whole, or the store says that it
cannot be used at the moment. Runs where SCHOOLPULSE_TEST_OPENGEMINI_CLUSTER names its programs.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import gemini
from agent.common.calendar import CITY_TIME
from collector import config
from collector.compliance import evidence
from collector.config import Config
from collector.keeper import Keeper
from collector.roster.register import Register, School
from collector.store import buckets
from collector.store.base import MisconfiguredError, Point, Store, UnavailableError
from collector.store.factory import open_store
from contract_points import SCHOOL, agent, read
from services import PATIENCE_S

pytestmark = [gemini.without, pytest.mark.slow]
DAY_NS = 86_400 * 10**9
NOON = 1_790_000_000_000_000_000
_names = itertools.count()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[gemini.Cluster]:
    with gemini.cluster(tmp_path / "gemini") as running:
        yield running


def made(cluster: gemini.Cluster, **more: Any) -> Config:
    """Settings of two new databases there, which answer."""
    name = next(_names)
    settings = Config(
        store=config.Store(
            "opengemini", cluster.urls[0], telemetry=f"t{name}", evidence=f"e{name}",
            telemetry_days=36_500, urls=cluster.urls[1:], **more,
        )
    )  # fmt: skip
    buckets.set_up(settings.store)
    gemini.wait_readable(settings)
    return settings


@pytest.fixture
def store(cluster: gemini.Cluster) -> Iterator[Store]:
    with open_store(made(cluster)) as opened:
        yield opened


def shard_ns(at: int) -> int:
    """When the shard of telemetry begins in which that time lies: they are counted from year 1."""
    day = dt.datetime.fromtimestamp(at / 1e9, dt.UTC).date()
    return (at // DAY_NS - (day.toordinal() - 1) % buckets._CLUSTER_SHARD_D) * DAY_NS


def rows(begin: int, count: int) -> list[Point]:
    """Each of a machine of its own, so in a series of its own."""
    return [agent(NOON + n, machine=f"{n:032x}", number=n) for n in range(begin, begin + count)]


def put(store: Store, points: list[Point]) -> None:
    """Store them, as often as it takes."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return store.write(points)
        except UnavailableError:
            assert time.monotonic() < until


def comes(store: Store, points: list[Point]) -> None:
    """Wait until they are read, all at once: fewer were acknowledged long ago."""
    time.sleep(store.limits.readable_s)
    until = time.monotonic() + PATIENCE_S
    while True:
        with contextlib.suppress(UnavailableError):
            found = read(store)
            assert len(found) == len(points)
            assert found == points
            return
        assert time.monotonic() < until


def never_less(store: Store, count: int, seconds: float) -> int:
    """Read for so long: how often it said that it cannot be used; fails where rows lack."""
    refused, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            found = sum(1 for _ in store.rows("agent", 0, 2**62, None, ["number"]))
        except UnavailableError:
            refused += 1
        else:
            assert found >= count  # one more: what was refused may be stored all the same
    return refused


@pytest.mark.parametrize("victim", ["store1", "store2", "store3", "meta1", "meta2", "meta3"])
def test_without_one_member_all_goes_on(cluster: gemini.Cluster, store: Store, victim: str) -> None:
    put(store, rows(0, 50))
    comes(store, rows(0, 50))
    cluster.kill(victim)
    put(store, rows(50, 50))
    comes(store, rows(0, 100))
    cluster.start(victim)
    put(store, rows(100, 50))
    comes(store, rows(0, 150))


def test_without_its_first_address_it_goes_on_at_the_second_and_comes_back(
    cluster: gemini.Cluster, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [time.monotonic()]
    monkeypatch.setattr(store, "_now", lambda: clock[0])
    put(store, rows(0, 50))
    comes(store, rows(0, 50))
    cluster.kill("sql1")
    store.write(rows(50, 50))
    comes(store, rows(0, 100))
    cluster.start("sql1")
    cluster.wait(0)
    cluster.kill("sql2")
    clock[0] += 61
    put(store, rows(100, 50))
    comes(store, rows(0, 150))


def test_what_a_store_missed_is_never_taken_for_all(cluster: gemini.Cluster, store: Store) -> None:
    """The last store alive was away while rows came: it answers, without them and no error."""
    put(store, rows(0, 50))
    comes(store, rows(0, 50))
    cluster.kill("store3")
    for begin in range(50, 2050, 50):
        put(store, rows(begin, 50))
    comes(store, rows(0, 2050))
    cluster.start("store3")
    cluster.wait(0, stores=3)
    cluster.kill("store1")
    cluster.kill("store2")
    assert never_less(store, 2050, 20)
    with pytest.raises(UnavailableError):
        store.write(rows(2050, 1))
    cluster.start("store1")
    never_less(store, 2050, 30)
    cluster.start("store2")
    until = time.monotonic() + PATIENCE_S
    while never_less(store, 2050, 2):
        assert time.monotonic() < until


def test_no_store_at_all_is_no_empty_store(cluster: gemini.Cluster, store: Store) -> None:
    put(store, rows(0, 50))
    comes(store, rows(0, 50))
    for name in ("store1", "store2", "store3"):
        cluster.kill(name)
    asks: list[Callable[[], Any]] = [
        lambda: read(store), lambda: read(store, "event"), store.simulated, store.simulated_rows,
    ]  # fmt: skip
    for ask in asks:
        with pytest.raises(UnavailableError):
            ask()


def test_stores_that_die_together_still_have_what_they_acknowledged(
    cluster: gemini.Cluster, store: Store
) -> None:
    """Neither what is read meanwhile nor a report of days ago, which comes late, makes a store take
    what it has in memory for written."""
    begun = time.time_ns()
    earlier = max(begun - 3 * DAY_NS, shard_ns(begun))
    late, points = list[Point](), list[Point]()
    assert read(store) == [], "so that no later answer waits"
    for turn in range(60):
        more = range(len(points), len(points) + 30)
        some = [agent(begun + n, machine=f"{n % 30:032x}", number=n) for n in more]
        put(store, some)
        points += some
        if turn in (10, 25, 40):  # a shard is written to disk after 5 s without a write
            late.append(agent(earlier + turn))
            put(store, late[-1:])
            with contextlib.suppress(UnavailableError):
                read(store)
        time.sleep(0.5)
    for name in ("store1", "store2", "store3"):
        cluster.kill(name)
    for name in ("store1", "store2", "store3"):
        cluster.start(name)
    comes(store, late + points)


def test_neither_keeper_nor_figure_takes_a_half_dead_cluster_for_silent_schools(
    cluster: gemini.Cluster,
) -> None:
    settings = made(cluster)
    day = dt.datetime.fromtimestamp(NOON / 1e9, CITY_TIME).date()
    register = Register({SCHOOL: School(SCHOOL, "示例", "630102", "小学", "630102")})
    with open_store(settings) as store:
        put(store, [agent(NOON + n, number=n) for n in range(50)])
        time.sleep(store.limits.readable_s)
        keeper = Keeper(store, lambda: register, settings.figure, settings.city)
        keeper.derive([day])
        time.sleep(store.limits.readable_s)
        before = read(store, "machine_day")
        assert before
        cluster.kill("store1")
        cluster.kill("store2")
        with pytest.raises(UnavailableError):
            keeper.derive([day])
        with pytest.raises(UnavailableError):
            evidence.load(store, register, settings.figure, day)
        cluster.start("store1")
        cluster.start("store2")
        cluster.wait()
        until = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(UnavailableError):
                keeper.derive([day])
                assert read(store, "machine_day") == before
                return
            assert time.monotonic() < until


def test_a_policy_that_passes_over_dead_stores_gives_no_partial_answers(tmp_path: Path) -> None:
    """Three stores with one copy of each row: the default policy leaves out a dead store's."""
    with gemini.cluster(tmp_path / "gemini", policy="write-available-first") as cluster:
        names = ("t", "e")
        for name in names:
            cluster.ask(f"CREATE DATABASE {name}")
        settings = Config(
            store=config.Store(
                "opengemini", cluster.urls[0], telemetry="t", evidence="e", telemetry_days=36_500
            )
        )
        gemini.wait_readable(settings)
        with pytest.raises(MisconfiguredError, match="ha-policy"):
            buckets.set_up(msgspec.structs.replace(settings.store, telemetry="x", evidence="y"))
        with open_store(settings) as store:
            put(store, rows(0, 200))
            comes(store, rows(0, 200))
            cluster.kill("store2")
            assert never_less(store, 200, 20)

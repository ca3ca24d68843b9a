"""Every store that the contract suite runs on.

A server of 2.x joins when SCHOOLPULSE_TEST_INFLUX_URL, _TOKEN and _ORG are given, openGemini when
SCHOOLPULSE_TEST_OPENGEMINI_URL is, and a cluster of it when SCHOOLPULSE_TEST_OPENGEMINI_CLUSTER
names a folder of its programs. After a write the suite waits as long as a store says that its
reads may lack it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import gemini
import settled
from collector import config
from collector.config import Config
from collector.store import buckets, witness
from collector.store.base import Store

Open = Callable[[], Store]
SERVER = {
    name: os.environ.get(f"SCHOOLPULSE_TEST_INFLUX_{name}", "") for name in ("URL", "TOKEN", "ORG")
}


KINDS: list[Any] = [
    "sqlite",
    pytest.param("influxdb", marks=pytest.mark.influxdb),  # behind a proxy that gives it 1.8's path
    pytest.param("influxdb16", marks=pytest.mark.influxdb),  # as it is
]
if SERVER["URL"]:
    KINDS.append("influxdb2")
_GEMINI = os.environ.get("SCHOOLPULSE_TEST_OPENGEMINI_URL", "")
_SKIP = pytest.mark.skipif(not _GEMINI, reason="SCHOOLPULSE_TEST_OPENGEMINI_URL names no server")
KINDS.append(pytest.param("opengemini", marks=_SKIP))
KINDS.append(pytest.param("opengemini3", marks=gemini.without))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gemini.Cluster]:
    """Three nodes of openGemini."""
    with gemini.cluster(tmp_path_factory.mktemp("gemini")) as running:
        yield running


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Config]:
    """Settings of an empty store of each kind."""
    if request.param == "sqlite":
        yield Config(data=str(tmp_path))
    elif request.param in ("influxdb", "influxdb16"):
        running = request.getfixturevalue("influxdb")
        yield from _debian(running, running.url if request.param == "influxdb" else running.bare)
    elif request.param == "opengemini":
        yield from _opengemini([_GEMINI])
    elif request.param == "opengemini3":
        yield from _opengemini(request.getfixturevalue("cluster").urls)
    else:
        yield from _server()


def _debian(running: Any, url: str) -> Iterator[Config]:
    name = uuid.uuid4().hex[:8]
    names = [running.create(f"{kind}-{name}") for kind in ("telemetry", "evidence")]
    yield _two("influxdb", url, names)
    for made in names:
        running.drop(made)


def _opengemini(urls: Sequence[str]) -> Iterator[Config]:
    name = uuid.uuid4().hex[:8]
    names = [f"{kind}-{name}" for kind in ("telemetry", "evidence")]
    made = _two("opengemini", urls[0], names, urls[1:])
    buckets.set_up(made.store)
    gemini.wait_readable(made)
    with mock.patch.object(witness, "SETTLES_S", 0.0):  # nothing fails here
        yield made
    for one in names:
        gemini.drop(urls[0], one)


def _two(kind: Any, url: str, names: Sequence[str], urls: Sequence[str] = ()) -> Config:
    telemetry, evidence = names
    return Config(
        store=config.Store(
            kind=kind, url=url, telemetry=telemetry, evidence=evidence, telemetry_days=36500,
            urls=list(urls),
        )
    )  # fmt: skip


def _server() -> Iterator[Config]:
    from influxdb_client import InfluxDBClient

    name = uuid.uuid4().hex[:8]
    with InfluxDBClient(SERVER["URL"], SERVER["TOKEN"], org=SERVER["ORG"]) as client:
        api = client.buckets_api()
        made = [api.create_bucket(bucket_name=f"{kind}-{name}") for kind in ("t", "e")]
        yield Config(
            store=config.Store(
                kind="influxdb",
                url=SERVER["URL"],
                token=SERVER["TOKEN"],
                org=SERVER["ORG"],
                telemetry=made[0].name,
                evidence=made[1].name,
                telemetry_days=36500,
            )
        )
        for bucket in made:
            api.delete_bucket(bucket)


@pytest.fixture
def reopen(settings: Config) -> Iterator[Open]:
    """Opens the same store once more; all are closed at the end."""
    with ExitStack() as opened:
        yield lambda: opened.enter_context(settled.opened(settings))


@pytest.fixture
def store(reopen: Open) -> Store:
    """An empty store."""
    return reopen()

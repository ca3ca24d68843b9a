"""Every store that the contract suite runs on.

A server of 2.x joins when SCHOOLPULSE_TEST_INFLUX_URL, _TOKEN and _ORG are given.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from collector import config
from collector.config import Config
from collector.store.base import Store
from collector.store.factory import open_store

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


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Config]:
    """Settings of an empty store of each kind."""
    if request.param == "sqlite":
        yield Config(data=str(tmp_path))
    elif request.param in ("influxdb", "influxdb16"):
        running = request.getfixturevalue("influxdb")
        yield from _debian(running, running.url if request.param == "influxdb" else running.bare)
    else:
        yield from _server()


def _debian(running: Any, url: str) -> Iterator[Config]:
    name = uuid.uuid4().hex[:8]
    names = [running.create(f"{kind}-{name}") for kind in ("telemetry", "evidence")]
    yield Config(
        store=config.Store(
            kind="influxdb",
            url=url,
            telemetry=names[0],
            evidence=names[1],
            telemetry_days=36500,
        )
    )
    for made in names:
        running.drop(made)


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
        yield lambda: opened.enter_context(open_store(settings))


@pytest.fixture
def store(reopen: Open) -> Store:
    """An empty store."""
    return reopen()

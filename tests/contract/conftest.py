"""Every store that the contract suite runs on.

A server of 2.x joins when SCHOOLPULSE_TEST_INFLUX_URL, _TOKEN and _ORG are given, openGemini when
SCHOOLPULSE_TEST_OPENGEMINI_URL is. After a write the suite waits as long as a store says that its
reads may lack it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import urllib3

import settled
from collector import config
from collector.config import Config
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


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Config]:
    """Settings of an empty store of each kind."""
    if request.param == "sqlite":
        yield Config(data=str(tmp_path))
    elif request.param in ("influxdb", "influxdb16"):
        running = request.getfixturevalue("influxdb")
        yield from _debian(running, running.url if request.param == "influxdb" else running.bare)
    elif request.param == "opengemini":
        yield from _opengemini()
    else:
        yield from _server()


def _debian(running: Any, url: str) -> Iterator[Config]:
    name = uuid.uuid4().hex[:8]
    names = [running.create(f"{kind}-{name}") for kind in ("telemetry", "evidence")]
    yield _two("influxdb", url, names)
    for made in names:
        running.drop(made)


def _opengemini() -> Iterator[Config]:
    name = uuid.uuid4().hex[:8]
    names = [f"{kind}-{name}" for kind in ("telemetry", "evidence")]
    for made in names:
        _ask_gemini(f'CREATE DATABASE "{made}"')
    yield _two("opengemini", _GEMINI, names)
    for made in names:
        _ask_gemini(f'DROP DATABASE "{made}"')


def _ask_gemini(query: str) -> None:
    answer = urllib3.request("POST", f"{_GEMINI}/query", fields={"q": query})
    assert answer.status == 200, answer.data
    assert b"error" not in answer.data, answer.data


def _two(kind: Any, url: str, names: Sequence[str]) -> Config:
    telemetry, evidence = names
    return Config(
        store=config.Store(
            kind=kind, url=url, telemetry=telemetry, evidence=evidence, telemetry_days=36500
        )
    )


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

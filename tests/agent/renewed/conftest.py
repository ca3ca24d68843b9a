"""A PC of a school whose credentials are renewed."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent import renewed
from agent.common.broker_settings import AgentBroker
from agent.config import Config
from agent.wire import Renewal
from pki import Ca

SCHOOL = "9963020001"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Ca:
    return Ca(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def next_ca(tmp_path_factory: pytest.TempPathFactory) -> Ca:
    return Ca(tmp_path_factory.mktemp("next"), "next CA")


@pytest.fixture
def config(tmp_path: Path, ca: Ca) -> Config:
    broker = AgentBroker(
        username=SCHOOL, password="installed", generation=1, tls=True, ca=str(ca.path)
    )
    return Config(school=SCHOOL, data=str(tmp_path / "data"), broker=broker)


def renewal(city: Ca, generation: int = 2, **change: Any) -> Renewal:
    given = Renewal(
        generation=generation,
        username=f"{SCHOOL}-{generation}",
        password=f"password of {generation}",
        line_key=secrets.token_hex(16),
        ca=city.pem,
    )
    return msgspec.structs.replace(given, **change)


def generations(config: Config) -> list[int]:
    """Of the accounts of a new start, the preferred one first."""
    accounts = renewed.accounts(config)
    found = []
    for _ in range(4):
        found.append(accounts.current.broker.generation)
        accounts.refused()
        if accounts.current.broker.generation == found[0]:
            break
    return found

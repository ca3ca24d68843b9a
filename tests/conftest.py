"""Fixtures that several test folders share; the services themselves are in support/."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

import services
from agent.common import language

#: The tests read Chinese, in whatever language the developer's system is; children inherit it.
os.environ |= {"LC_ALL": "C.UTF-8"}
os.environ.pop("SCHOOLPULSE_LANG", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Golden lists are written anew only when somebody says so."""
    parser.addoption("--refresh", action="store_true", help="write the golden equipment lists")


@pytest.fixture(autouse=True)
def _chinese_first() -> Iterator[None]:
    """A test that speaks English leaves no English behind."""
    language.choose("zh")
    yield
    language.choose("zh")


@pytest.fixture(scope="session")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real InfluxDB behind nginx: `services.Influx`."""
    with services.influx(tmp_path_factory.mktemp("influx")) as running:
        yield running

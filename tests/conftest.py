"""Fixtures that several test folders share; the services themselves are in support/."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

import services
from agent.common import language

# How long an example takes tells of the machine, not of us. CI repeats the same examples, so that
# a change is not blamed for what chance found; everybody else looks further each time.
_ANY_MACHINE: dict[str, Any] = {
    "deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}  # fmt: skip
hypothesis.settings.register_profile("here", **_ANY_MACHINE)
hypothesis.settings.register_profile("ci", derandomize=True, **_ANY_MACHINE)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")

#: What tells programs how wide and how colourful the terminal is.
_TERMINAL = ("COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "FORCE_COLOR", "NO_COLOR")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Golden lists are written anew only when somebody says so."""
    parser.addoption("--refresh", action="store_true", help="write the golden equipment lists")


def pytest_xdist_auto_num_workers() -> int:
    """Two a core: a test waits for processes, brokers and clocks longer than it computes."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first: the last worker is not to be left with one of them."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    for item in items:
        if _shares_influxdb(item):  # one worker's, so that one server is enough
            item.add_marker(pytest.mark.xdist_group("influxdb"))


def _shares_influxdb(item: pytest.Item) -> bool:
    """Whether it uses the fixture below; the contract suite asks for it as it runs."""
    named = "influxdb" in getattr(item, "fixturenames", ())
    own = item.get_closest_marker("slow") is not None  # the faults' servers are to be killed
    return named or (item.get_closest_marker("influxdb") is not None and not own)


@pytest.fixture(scope="session", autouse=True)
def _no_terminal() -> Iterator[None]:
    """What is printed does not depend on where the tests run; a test of a width sets its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _TERMINAL:
            patch.delenv(name, raising=False)
        patch.setenv("LC_ALL", "C.UTF-8")  # no language: the tests read Chinese
        patch.delenv("SCHOOLPULSE_LANG", raising=False)
        yield


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

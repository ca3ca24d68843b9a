"""Fixtures that several test folders share; the services themselves are in support/."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

import influx_server
from agent.common import language

# How long an example takes tells of the machine, not of us. CI repeats the same examples, so that
# a change is not blamed for what chance found; everybody else looks further each time.
_ANY_MACHINE: dict[str, Any] = {
    "deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}  # fmt: skip
hypothesis.settings.register_profile("here", **_ANY_MACHINE)
hypothesis.settings.register_profile("ci", derandomize=True, **_ANY_MACHINE)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")

#: What a run of all tests writes, with room to spare.
_ROOM = 8 * 1024**3


def _work_in_memory() -> None:
    """Temporary folders on a disk in memory, where the machine has one with room.

    Most of a test of a store is waiting for a disk. What is proved of power cuts does not rest on
    the disk below: they are played, and kill -9 loses nothing that was written on either.
    """
    with contextlib.suppress(OSError):
        disk = os.statvfs("/dev/shm")
        if disk.f_bavail * disk.f_frsize > _ROOM and not disk.f_flag & os.ST_NOEXEC:
            os.environ.setdefault("TMPDIR", "/dev/shm")
            tempfile.tempdir = None  # ask again


_work_in_memory()

#: What tells programs how wide and how colourful the terminal is.
_TERMINAL = ("COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "FORCE_COLOR", "NO_COLOR")

#: Settings of agent and collector, such as SCHOOLPULSE_DATA; not what tests are asked to use.
_OURS = re.compile("SCHOOLPULSE_(?!TEST_|FAULT_)")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Golden lists are written anew only when somebody says so."""
    parser.addoption("--refresh", action="store_true", help="write the golden equipment lists")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Three a core: a test waits for processes, brokers and clocks longer than it computes."""
    return 3 * (os.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each test by itself to whoever is free, but those of one server to one worker.

    By the test's name: the groups of xdist 3.8 have no effect in pytest 9.2, where the name of
    a test cannot be changed any more.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            # The offline bundle is built in one folder of the tree.
            found = re.search("influx|grafana|test_offline|test_update_linux", nodeid)
            one = {"test_update_linux": "test_offline"}
            return one.get(found[0], found[0]) if found else nodeid

    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones among the first half of the others.

    They wait more than they compute: side by side they would leave the processor idle. And the
    last worker is not to be left with one of them.
    """
    long = [item for item in items if item.get_closest_marker("slow") is not None]
    others = [item for item in items if item.get_closest_marker("slow") is None]
    between = len(others) // 2 // (len(long) or 1)
    for number, item in enumerate(long):
        others.insert(number * (between + 1), item)
    items[:] = others


@pytest.fixture(scope="session", autouse=True)
def _surroundings() -> Iterator[None]:
    """What tests do does not depend on where they run, and they touch no data of whoever runs them.

    A test of a width sets its own.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in _TERMINAL:
            patch.delenv(name, raising=False)
        patch.setenv("LC_ALL", "C.UTF-8")  # no language: the tests read Chinese
        for name in [name for name in os.environ if _OURS.match(name)]:
            patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _chinese_first() -> Iterator[None]:
    """A test that speaks English leaves no English behind."""
    language.choose("zh")
    yield
    language.choose("zh")


@pytest.fixture(scope="session")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real InfluxDB behind nginx: `influx_server.Influx`."""
    with influx_server.influx(tmp_path_factory.mktemp("influx")) as running:
        yield running

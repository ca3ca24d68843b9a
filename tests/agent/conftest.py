"""What the agent's tests share: a PC's clock in hand, and a collector that stores nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import services as shared_services
from agent.clock import Clock
from agent.mqtt import link
from fake_collector import collector, until

__all__ = ["collector", "until"]  # fixtures

MACHINE = "0123456789abcdef" * 2
SCHOOL = "9900000001"
NOW = 1_790_000_000_000  # the collector's time in tests, ms


class Pc:
    """A PC whose own clock and monotonic clock a test sets, in ms."""

    def __init__(self, wall: int = NOW, elapsed: int = 5_000) -> None:
        self.wall = wall
        self.elapsed = elapsed
        self.clock = Clock(lambda: self.wall, lambda: self.elapsed)

    def passes(self, ms: int) -> None:
        self.wall += ms
        self.elapsed += ms

    def learns_time(self, now: int = NOW, took: int = 0) -> None:
        """A hello goes out, and its echo arrives `took` ms later."""
        sent = self.clock.mark()
        self.passes(took)
        assert self.clock.on_echo(sent, now)


@pytest.fixture
def pc() -> Pc:
    return Pc()


@pytest.fixture
def make_pc() -> type[Pc]:
    return Pc


@pytest.fixture(scope="session")
def services() -> ModuleType:
    """Real services for tests, from tests/support."""
    return shared_services


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(
    request: pytest.FixtureRequest, services: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """A real broker of each kind: services.Broker."""
    if request.param == "amqtt":  # it never answers MQTT 5: no need to wait for that
        monkeypatch.setattr(link, "_FIVE_ANSWER_S", 0.2)
    folder = tmp_path / "broker"
    folder.mkdir()
    with services.broker(request.param, folder) as running:
        yield running


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of its own."""
    with shared_services.small_disk(tmp_path / "disk") as where:
        yield where

"""An agent's outbox and link against real brokers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.clock import Clock
from agent.common.settings import Broker
from agent.mqtt.link import Callbacks, Link, Sender, State
from agent.mqtt.loop import Loop
from agent.outbox import Outbox
from agent.wire import AgentHealth, Inventory, Policy

MACHINE = "0123456789abcdef" * 2
SCHOOL = "9900000001"
READING = (AgentHealth(version="1"),)


class Agent:
    """An outbox and a link of their own, as the runner has them."""

    def __init__(self, settings: Broker, folder: Path, school: str = SCHOOL) -> None:
        self.clock = Clock()
        self.outbox = Outbox(folder / "outbox.db", MACHINE, self.clock)
        self.policies: list[Policy] = []
        self.states: list[State] = []
        self.changed = threading.Condition()
        self.loop = Loop()
        self.link = Link(
            settings,
            Sender(school, MACHINE, lambda: Inventory(hostname="pc-1")),
            self.outbox,
            self.clock,
            self.loop,
            Callbacks(policy=self._on_policy, state=self._on_state),
            draw=lambda: 0.1,  # backoffs of a tenth, so that tests are quick
        )
        self.loop.start()

    def _on_policy(self, policy: Policy) -> None:
        with self.changed:
            self.policies.append(policy)
            self.changed.notify_all()

    def _on_state(self, state: State, _error: str) -> None:
        with self.changed:
            self.states.append(state)
            self.changed.notify_all()

    def wait(self, done: Callable[[], bool], seconds: float = 120) -> None:
        with self.changed:
            assert self.changed.wait_for(done, seconds), (self.states, self.link.error)

    def key(self, number: int) -> tuple[str, str, int]:
        return MACHINE, self.outbox.boot, number

    def close(self) -> None:
        if self.loop.alive:
            self.link.stop()
            self.loop.stop()
        self.outbox.close()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    made: list[Agent] = []

    def make(settings: Broker, school: str = SCHOOL) -> Agent:
        made.append(Agent(settings, tmp_path, school))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def mosquitto(services: Any, tmp_path: Path) -> Iterator[Any]:
    folder = tmp_path / "broker"
    folder.mkdir()
    with services.broker("mosquitto", folder) as running:
        yield running


def gone(agent: Agent, until: Callable[..., None]) -> None:
    until(lambda: agent.outbox.counts().rows == 0)

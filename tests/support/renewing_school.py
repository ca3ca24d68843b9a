"""PCs of a school whose credentials change, and the collector that gives them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec

from accounts_broker import CITY, AccountsBroker
from agent import renewed
from agent.clock import Clock
from agent.config import Config
from agent.mqtt.link import Callbacks, Link, Sender, State
from agent.mqtt.loop import Loop
from agent.outbox import Outbox
from agent.wire import AgentHealth, Hello, Receipt, Renewal, ca_digest
from fake_collector import FakeCollector

SCHOOL = "9963020001"
READING = (AgentHealth(version="1"),)
PATIENCE_S = 120.0


class Agent:
    """One PC: its data folder outlives `stop`, as the PC's disk does."""

    def __init__(self, config: Config, number: int, loop: Loop) -> None:
        self.config, self.machine, self._loop = config, f"{number:032x}", loop
        self.states: list[State] = []
        self.changed = threading.Condition()

    def start(self) -> None:
        self.config.folder.mkdir(parents=True, exist_ok=True)
        clock = Clock()
        self.outbox = Outbox(self.config.folder / "outbox.db", self.machine, clock)
        sender = Sender(SCHOOL, self.machine)
        self.accounts = renewed.accounts(self.config)
        back = Callbacks(state=self._on_state)
        self.link = Link(self.accounts, sender, self.outbox, clock, self._loop, back)
        self.link.start()

    def _on_state(self, state: State, _error: str) -> None:
        with self.changed:
            self.states.append(state)
            self.changed.notify_all()

    def wait(self, state: State) -> None:
        with self.changed:
            seen = len(self.states)
            done = self.changed.wait_for(lambda: state in self.states[seen:], PATIENCE_S)
        assert done, (self.states, self.link.error)

    def reports(self) -> None:
        self.outbox.put(READING)

    def stop(self) -> None:
        self.link.stop()
        self.outbox.close()


class City:
    """A collector that gives the current credentials to whoever says older ones."""

    def __init__(self, broker: AccountsBroker) -> None:
        self.fake = FakeCollector(broker.plain, five=True, account=(CITY, broker.city_password))
        self.fake.answer = self._answer
        self.renewal: Renewal | None = None
        self.said: dict[str, Hello] = {}
        self.reports: dict[str, int] = {}
        self.given = 0

    def _answer(self, topic: Any, message: Any) -> Receipt:
        receipt = self.fake.stored(topic, message)
        with self.fake.changed:
            if not isinstance(message, Hello):
                self.reports[topic.machine] = self.reports.get(topic.machine, 0) + 1
            else:
                self.said[topic.machine] = message
            self.fake.changed.notify_all()
        if isinstance(message, Hello) and self._lacks(message):
            self.given += 1
            receipt = msgspec.structs.replace(receipt, renewal=self.renewal)
        return receipt

    def _lacks(self, message: Hello) -> bool:
        new = self.renewal
        return new is not None and (
            message.credential < new.generation or message.ca != ca_digest(new.ca)
        )

    def wait(self, done: Callable[[], bool]) -> None:
        self.fake.wait(done)

    def all_say(self, generation: int, machines: int) -> bool:
        said = [one for one in self.said.values() if one.credential == generation]
        return len(said) == machines

    def all_reported(self, machines: int) -> bool:
        return len(self.reports) == machines

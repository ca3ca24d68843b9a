"""Who speaks over a link, whom it tells what it hears, and where it stands."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from agent.wire import codec, topics
from agent.wire.messages import VERSION, Hello, Inventory, Policy, Presence, Receipt


class State(Enum):
    """Where a link stands."""

    IDLE = "idle"
    CONNECTING = "connecting"
    SUBSCRIBING = "subscribing"
    READY = "ready"
    LEAVING = "leaving"
    STOPPED = "stopped"


class Sender(NamedTuple):
    """Who speaks over a link."""

    school: str
    machine: str
    inventory: Callable[[], Inventory] = Inventory
    simulated: bool = False

    @property
    def receipt_topic(self) -> str:
        """Where it listens for receipts."""
        return topics.receipt_topic(self.school, self.machine)

    @property
    def policy_topic(self) -> str:
        """Where it listens for its school's policy; the measurement server has none."""
        return "" if self.school == topics.LINESERVER else topics.policy_topic(self.school)

    @property
    def presence_topic(self) -> str:
        """Where it says that it is there."""
        return topics.presence_topic(self.school, self.machine)

    def presence(self, boot: str, online: bool) -> bytes:
        """That it is there, or not."""
        told = Presence(v=VERSION, boot=boot, online=online, simulated=self.simulated)
        return codec.encode(told)

    def hello(self, sent: int) -> bytes:
        """Who it is; `sent` is the PC's own clock, ms."""
        hello = Hello(v=VERSION, sent=sent, inventory=self.inventory(), simulated=self.simulated)
        return codec.encode(hello)


class Callbacks(NamedTuple):
    """Whom a link tells what it hears; called in the loop's thread."""

    policy: Callable[[Policy], None] = lambda policy: None
    receipt: Callable[[Receipt], None] = lambda receipt: None
    state: Callable[[State, str], None] = lambda state, error: None
    bad_policy: Callable[[str], None] = lambda reason: None


NO_CALLBACKS = Callbacks()


def read_policy(payload: bytes, callbacks: Callbacks) -> Policy | None:
    """A policy; one that cannot be followed is told, and the one before stays in force."""
    if not payload:  # the school has left the register
        return None
    try:
        return codec.decode_policy(payload)
    except (codec.UnreadableError, codec.FutureVersionError) as error:
        callbacks.bad_policy(str(error))
        return None

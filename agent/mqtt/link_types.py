"""Types of a link: its state, its sender, and its callbacks."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from agent.wire import codec
from agent.wire import topics as names
from agent.wire.messages import VERSION, Hello, Inventory, Policy, Presence, Receipt


class State(Enum):
    """The state of a link."""

    IDLE = "idle"
    CONNECTING = "connecting"
    SUBSCRIBING = "subscribing"
    READY = "ready"
    LEAVING = "leaving"
    STOPPED = "stopped"


class Sender(NamedTuple):
    """The machine whose reports a link carries."""

    school: str
    machine: str
    inventory: Callable[[], Inventory] = Inventory
    simulated: bool = False

    @property
    def receipt_topic(self) -> str:
        """The topic of its receipts."""
        return names.receipt_topic(self.school, self.machine)

    @property
    def policy_topic(self) -> str:
        """The topic of its school's policy; empty for the measurement server, which has none."""
        return "" if self.school == names.LINESERVER else names.policy_topic(self.school)

    @property
    def topics(self) -> list[str]:
        """What it subscribes to."""
        return [self.receipt_topic, *filter(None, [self.policy_topic])]

    @property
    def presence_topic(self) -> str:
        """The topic of its presence."""
        return names.presence_topic(self.school, self.machine)

    def presence(self, boot: str, online: bool) -> bytes:
        """The encoded presence message."""
        presence = Presence(v=VERSION, boot=boot, online=online, simulated=self.simulated)
        return codec.encode(presence)

    def hello(self, sent: int, credential: int = 0, ca: str = "") -> bytes:
        """The encoded hello; `sent` is the PC's own clock, ms; with which account and CA file."""
        hello = Hello(
            v=VERSION,
            sent=sent,
            inventory=self.inventory(),
            simulated=self.simulated,
            credential=credential,
            ca=ca,
        )
        return codec.encode(hello)


class Callbacks(NamedTuple):
    """Callbacks of a link, called in the loop's thread."""

    policy: Callable[[Policy], None] = lambda policy: None
    receipt: Callable[[Receipt], None] = lambda receipt: None
    state: Callable[[State, str], None] = lambda state, error: None
    bad_policy: Callable[[str], None] = lambda reason: None


NO_CALLBACKS = Callbacks()


def read_policy(payload: bytes, callbacks: Callbacks) -> Policy | None:
    """The policy, or None; an unreadable one is reported, and the old one stays in force."""
    if not payload:  # cleared: the school has left the register
        return None
    try:
        return codec.decode_policy(payload)
    except (codec.UnreadableError, codec.FutureVersionError) as error:
        callbacks.bad_policy(str(error))
        return None

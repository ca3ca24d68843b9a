"""When the hello is sent: until its receipt has come, each time with a fresh `sent`."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent.common.backoff import backoff
from agent.wire.messages import Receipt

#: s. Nothing else is sent before the hello's echo, so it is missed sooner than a report.
PATIENCE, BASE, CAP = 3.0, 1.0, 60.0


class HelloTurn:
    """The turns of one boot's hello, in seconds of time.monotonic."""

    def __init__(self, draw: Callable[[], float]) -> None:
        """`draw` gives numbers in [0, 1) for the backoff."""
        self.done = False
        self.due = 0.0
        self._sends = 0
        self._draw = draw

    def is_due(self) -> bool:
        """Whether to send it now."""
        return not self.done and time.monotonic() >= self.due

    def at_once(self) -> None:
        """A new connection stands."""
        self.due = 0.0

    def sent(self) -> None:
        """It has just been sent."""
        wait = PATIENCE + backoff(self._sends, self._draw, base=BASE, cap=CAP)
        self._sends += 1
        self.due = time.monotonic() + wait

    def policy_arrived(self) -> None:
        """The collector is back, or has come to know the school."""
        self.due = min(self.due, time.monotonic() + self._draw() * BASE)

    def receipt(self, receipt: Receipt, boot: str, *, known: bool) -> None:
        """Stored: done, once the time is `known` too. Held: again when the receipt says."""
        if any(one.boot == boot and one.first <= 1 <= one.last for one in receipt.stored):
            self.done = known
        for held in receipt.held:
            if (held.boot, held.number) == (boot, 1):
                self.due = time.monotonic() + (held.retry_s if known else CAP)

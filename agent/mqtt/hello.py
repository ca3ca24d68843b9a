"""When to send the hello: repeated, each time with a fresh `sent`, until its receipt arrives.

After that it is sent again every hour, after a policy, on a connection with another account, and a
while after the broker refused the one that an answer brought: the next answer may bring new
credentials, which a PC that runs for weeks must get too.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from agent.common.backoff import backoff
from agent.wire.messages import Receipt

#: s. Nothing else is sent before the hello's receipt, so it is repeated sooner than a report.
PATIENCE, BASE, CAP = 3.0, 1.0, 60.0
#: Once it has its receipt, it is sent again after about this, s.
AGAIN = 3600.0
#: A policy reaches all agents of a city at once; those that have the time answer within this, s.
SPREAD = 60.0


class HelloTimer:
    """Decides when the hello of one boot is due, in seconds of time.monotonic."""

    def __init__(self, draw: Callable[[], float]) -> None:
        """`draw` gives numbers in [0, 1) for the backoff."""
        self.done = False
        self.due = 0.0
        self._sent_at = -SPREAD
        self._sends = 0
        self._said = (-1, "")  # of the account
        self._draw = draw

    def is_due(self) -> bool:
        """Whether to send it now."""
        return time.monotonic() >= self.due

    def connected(self, said: tuple[int, str]) -> None:
        """There is a new connection: a hello without a receipt is due, or one that says else."""
        if not self.done or said != self._said:
            self.due = 0.0
        self._said = said

    def sent(self) -> None:
        """The hello was sent: plan the next try."""
        self._sent_at = time.monotonic()
        if self.done:
            self.due = self._later()
            return
        wait = PATIENCE + backoff(self._sends, self._draw, base=BASE, cap=CAP)
        self._sends += 1
        self.due = self._sent_at + wait

    def _later(self) -> float:
        return time.monotonic() + AGAIN * (0.75 + self._draw() / 2)

    def again(self, seconds: float) -> None:
        """Its answer is of use after this only: ask then, each PC of a school at its own time."""
        self.due = min(self.due, time.monotonic() + seconds * (1 + self._draw()))

    def policy_arrived(self) -> None:
        """A policy arrived: the collector is back, or knows the school now; try again soon."""
        now = time.monotonic()
        if not self.done:
            self.due = min(self.due, now + self._draw() * BASE)
        elif now - self._sent_at >= SPREAD:  # not on the policy that each connection begins with
            self.due = min(self.due, now + self._draw() * SPREAD)

    def receipt(self, receipt: Receipt, boot: str, *, known: bool) -> None:
        """Stored: done, if the time is `known` too. Held: try again after its `retry_s`."""
        if any(one.boot == boot and one.first <= 1 <= one.last for one in receipt.stored):
            self.done = known
            if known:
                self.due = self._later()
        for held in receipt.held:
            if (held.boot, held.number) == (boot, 1):
                self.due = time.monotonic() + (held.retry_s if known else CAP)

"""The window: which reports are under way, and when each is resent. In memory only.

A new connection starts with few reports under way and allows one more for each receipt, up to
the window's size, as TCP's slow start does. Otherwise a thousand agents that reconnect together
would send sixteen thousand reports before the first receipt.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from agent.clock import Clock
from agent.common.backoff import backoff

#: A receipt normally arrives within a second; a report is not resent before this, s.
PATIENCE = 10.0
BASE, CAP = 5.0, 300.0
#: Reports that a new connection starts with.
_FIRST = 2


class Outgoing(NamedTuple):
    """One report to publish now."""

    boot: str
    number: int
    payload: bytes


class Sending:
    """A report under way; `due` is when it is resent, in ms of the monotonic clock."""

    __slots__ = ("boot", "due", "number", "sends", "sent")

    def __init__(self, boot: str, number: int, sent: int | None) -> None:
        self.boot = boot
        self.number = number
        self.sent = sent  # its clock mark, while an echo of it may set the clock
        self.sends = 0
        self.due = 0


class Window:
    """At most `size` reports under way. Guarded by the outbox's lock."""

    def __init__(self, size: int, clock: Clock, draw: Callable[[], float]) -> None:
        self._size = size
        self._clock = clock
        self._draw = draw
        self._sending: dict[int, Sending] = {}
        self._allowed = size  # how many may be under way on this connection
        # Sent on an earlier connection and not yet on this one; oldest first.
        self._earlier: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._sending)

    @property
    def ids(self) -> Collection[int]:
        """The rows under way."""
        return self._sending.keys()

    @property
    def free(self) -> int:
        """How many more may be sent for the first time."""
        return 0 if self._earlier else self._capacity

    @property
    def _capacity(self) -> int:
        return max(0, self._allowed - len(self._sending) + len(self._earlier))

    def add(self, id_: int, boot: str, number: int, sent: int | None) -> None:
        """A report is sent for the first time."""
        sending = self._sending[id_] = Sending(boot, number, sent)
        self._plan_resend(sending)

    def resend(self, id_: int) -> Sending:
        """A report is sent again; from now on an echo of it no longer sets the clock."""
        sending = self._sending[id_]
        if id_ in self._earlier:
            del self._earlier[id_]
        else:
            self._grow()  # it got no answer, but must not block the reports behind it for ever
        self._discard_mark(sending)
        self._plan_resend(sending)
        return sending

    def due(self, now: int) -> list[int]:
        """The rows to resend now."""
        late = [
            id_
            for id_, sending in self._sending.items()
            if sending.due <= now and id_ not in self._earlier
        ]
        earlier = [id_ for id_ in self._earlier if self._sending[id_].due <= now]
        return late + earlier[: self._capacity]

    def next_due(self) -> int | None:
        """When the first resend is due, ms of the monotonic clock; None where none is planned."""
        dues = (
            sending.due
            for id_, sending in self._sending.items()
            if self._capacity or id_ not in self._earlier
        )
        return min(dues, default=None)

    def drop(self, ids: Collection[int]) -> None:
        """Remove these rows from the window."""
        for id_ in ids:
            self._sending.pop(id_, None)
            self._earlier.pop(id_, None)

    def answered(self, boot: str, first: int, last: int) -> None:
        """A receipt names these reports, as stored or held: they are no longer under way."""
        for id_, _ in self._matching(boot, first, last):
            self.drop((id_,))
            self._grow()

    def refused(self, boot: str, number: int) -> None:
        """The broker refused the report; it is resent after its backoff."""
        for _, sending in self._matching(boot, number, number):
            self._discard_mark(sending)

    def resend_all(self, latest: int) -> None:
        """Resend everything by `latest`, in ms of the monotonic clock; few at first."""
        self._allowed = min(_FIRST, self._size)
        for id_, sending in self._sending.items():
            self._earlier[id_] = None
            sending.due = min(sending.due, latest)

    def clear(self) -> None:
        """Forget all reports under way."""
        self._sending.clear()
        self._earlier.clear()

    def _grow(self) -> None:
        self._allowed = min(self._allowed + 1, self._size)

    def _matching(self, boot: str, first: int, last: int) -> Iterator[tuple[int, Sending]]:
        for id_, sending in list(self._sending.items()):
            if sending.boot == boot and first <= sending.number <= last:
                yield id_, sending

    def _discard_mark(self, sending: Sending) -> None:
        if sending.sent is not None:
            self._clock.forget(sending.sent)
            sending.sent = None

    def _plan_resend(self, sending: Sending) -> None:
        seconds = PATIENCE + backoff(sending.sends, self._draw, base=BASE, cap=CAP)
        sending.sends += 1
        sending.due = self._clock.elapsed() + int(seconds * 1000)

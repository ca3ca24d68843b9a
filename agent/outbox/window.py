"""The window: which reports are under way, and when each is sent again. In memory only.

A new connection begins with few reports and has one more under way for each receipt that comes,
up to the window's size: a thousand agents that come back together, each with all that waited,
would otherwise say sixteen thousand things before the first was answered. (TCP's slow start.)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from agent.clock import Clock
from agent.common.backoff import backoff

#: A receipt is normally here within a second; before this it is not missed. s
PATIENCE = 10.0
BASE, CAP = 5.0, 300.0
#: Reports that a new connection begins with.
_FIRST = 2


class Outgoing(NamedTuple):
    """One report to publish now."""

    boot: str
    number: int
    payload: bytes


class Sending:
    """A report under way; `due` is when it is sent again, in ms of the monotonic clock."""

    __slots__ = ("boot", "due", "number", "sends", "sent")

    def __init__(self, boot: str, number: int, sent: int | None) -> None:
        self.boot = boot
        self.number = number
        self.sent = sent  # its mark, while an echo of it would be worth something
        self.sends = 0
        self.due = 0


class Window:
    """At most `size` reports without a receipt. The outbox's lock guards it."""

    def __init__(self, size: int, clock: Clock, draw: Callable[[], float]) -> None:
        self._size = size
        self._clock = clock
        self._draw = draw
        self._sending: dict[int, Sending] = {}
        self._open = size  # how many may be under way now
        self._left: dict[int, None] = {}  # under way on an earlier connection; oldest first

    def __len__(self) -> int:
        return len(self._sending)

    @property
    def ids(self) -> Collection[int]:
        """The rows under way."""
        return self._sending.keys()

    @property
    def free(self) -> int:
        """How many more may leave for the first time."""
        return 0 if self._left else self._room

    @property
    def _room(self) -> int:
        return max(0, self._open - len(self._sending) + len(self._left))

    def begin(self, id_: int, boot: str, number: int, sent: int | None) -> None:
        """A report leaves for the first time."""
        sending = self._sending[id_] = Sending(boot, number, sent)
        self._wait(sending)

    def again(self, id_: int) -> Sending:
        """A report leaves once more: no echo of it can move the offset from now on."""
        sending = self._sending[id_]
        if id_ in self._left:
            del self._left[id_]
        else:
            self._answered()  # by nobody; what is behind must not wait for it for ever
        self._forget(sending)
        self._wait(sending)
        return sending

    def due(self, now: int) -> list[int]:
        """The rows to send again."""
        late = [
            id_
            for id_, sending in self._sending.items()
            if sending.due <= now and id_ not in self._left
        ]
        left = [id_ for id_ in self._left if self._sending[id_].due <= now]
        return late + left[: self._room]

    def next_due(self) -> int | None:
        """When the first of them is due, ms of the monotonic clock."""
        dues = (
            sending.due
            for id_, sending in self._sending.items()
            if self._room or id_ not in self._left
        )
        return min(dues, default=None)

    def drop(self, ids: Collection[int]) -> None:
        """These rows are gone."""
        for id_ in ids:
            self._sending.pop(id_, None)
            self._left.pop(id_, None)

    def arrived(self, boot: str, first: int, last: int) -> None:
        """A receipt speaks of these: they are not under way any more."""
        for id_, _ in self._of(boot, first, last):
            self.drop((id_,))
            self._answered()

    def refused(self, boot: str, number: int) -> None:
        """The broker refused this sending; its next turn comes by the backoff."""
        for _, sending in self._of(boot, number, number):
            self._forget(sending)

    def restart(self, latest: int) -> None:
        """Send everything again, from `latest` on, in ms of the monotonic clock; few at first."""
        self._open = min(_FIRST, self._size)
        for id_, sending in self._sending.items():
            self._left[id_] = None
            sending.due = min(sending.due, latest)

    def clear(self) -> None:
        """Nothing is under way."""
        self._sending.clear()
        self._left.clear()

    def _answered(self) -> None:
        self._open = min(self._open + 1, self._size)

    def _of(self, boot: str, first: int, last: int) -> Iterator[tuple[int, Sending]]:
        for id_, sending in list(self._sending.items()):
            if sending.boot == boot and first <= sending.number <= last:
                yield id_, sending

    def _forget(self, sending: Sending) -> None:
        if sending.sent is not None:
            self._clock.forget(sending.sent)
            sending.sent = None

    def _wait(self, sending: Sending) -> None:
        seconds = PATIENCE + backoff(sending.sends, self._draw, base=BASE, cap=CAP)
        sending.sends += 1
        sending.due = self._clock.elapsed() + int(seconds * 1000)

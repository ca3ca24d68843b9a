"""The window: which reports are under way, and when each is sent again. In memory only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from agent.backoff import backoff
from agent.clock import Clock

#: A receipt is normally here within a second; before this it is not missed. s
PATIENCE = 10.0
BASE, CAP = 5.0, 300.0


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

    def __len__(self) -> int:
        return len(self._sending)

    @property
    def ids(self) -> Collection[int]:
        """The rows under way."""
        return self._sending.keys()

    @property
    def free(self) -> int:
        """How many more may be sent."""
        return self._size - len(self._sending)

    def begin(self, id_: int, boot: str, number: int, sent: int | None) -> None:
        """A report leaves for the first time."""
        sending = self._sending[id_] = Sending(boot, number, sent)
        self._wait(sending)

    def again(self, id_: int) -> Sending:
        """A report leaves once more: no echo of it can move the offset from now on."""
        sending = self._sending[id_]
        self._forget(sending)
        self._wait(sending)
        return sending

    def due(self, now: int) -> list[int]:
        """The rows to send again."""
        return [id_ for id_, sending in self._sending.items() if sending.due <= now]

    def next_due(self) -> int | None:
        """When the first of them is due, ms of the monotonic clock."""
        return min((sending.due for sending in self._sending.values()), default=None)

    def drop(self, ids: Collection[int]) -> None:
        """These rows are gone."""
        for id_ in ids:
            self._sending.pop(id_, None)

    def arrived(self, boot: str, first: int, last: int) -> None:
        """A receipt speaks of these: they are not under way any more."""
        for id_, _ in self._of(boot, first, last):
            del self._sending[id_]

    def refused(self, boot: str, number: int) -> None:
        """The broker refused this sending; its next turn comes by the backoff."""
        for _, sending in self._of(boot, number, number):
            self._forget(sending)

    def hasten(self, latest: int) -> None:
        """Send everything again by `latest`, in ms of the monotonic clock."""
        for sending in self._sending.values():
            sending.due = min(sending.due, latest)

    def clear(self) -> None:
        """Nothing is under way."""
        self._sending.clear()

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

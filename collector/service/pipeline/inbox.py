"""Messages received and not yet stored: bounded, and in batches by size and age."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

_TAKEN_BYTES = 4 * 1024 * 1024  # of payloads in a batch; its points take several times that
#: How long the messages of one read may wait together: until it has them, the broker hears nothing
#: from us, and disconnects us after one and a half keepalives of 30 s.
_PATIENCE_S = 30.0


class Message(NamedTuple):
    """What the broker delivered; `arrived` in ns since 1970 UTC; `retained`: a state, no event."""

    topic: str
    payload: bytes
    arrived: int
    retained: bool = False


class Inbox:
    """A queue between the broker's thread and the sorter.

    When it is full, a message waits for `put_timeout` seconds: TCP then slows the broker. During an
    outage of the store the timeout is 0: messages are turned away without a receipt, so that
    the hellos behind them are still answered; the agents send again.
    """

    def __init__(self, limit: int = 10_000, limit_bytes: int = 48 * 1024 * 1024) -> None:
        self._limit, self._limit_bytes = limit, limit_bytes
        self._messages: deque[Message] = deque()
        self._bytes = 0
        self._wanted = 1
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._closed = False
        self._put_timeout = 1.0
        self._came = 0.0  # when the last message did

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def first(self) -> int | None:
        """When the first message inside arrived, ns since 1970 UTC."""
        with self._lock:
            return self._messages[0].arrived if self._messages else None

    @property
    def closed(self) -> bool:
        """Whether it accepts no more messages."""
        return self._closed

    def set_put_timeout(self, seconds: float) -> None:
        """How long a message waits for room from now on."""
        with self._lock:
            self._put_timeout = seconds
            self._room.notify_all()

    def put_all(self, messages: Sequence[Message]) -> int:
        """Add messages; how many: there was no room for the others, or the inbox is closed."""
        size = sum([len(message.payload) for message in messages])
        with self._lock:
            taken = self._put_at_once(messages, size) or self._put_each(messages)
            if taken:
                self._came = time.monotonic()
            if self._has(self._wanted):
                self._filled.notify()
            return taken

    def _put_at_once(self, messages: Sequence[Message], size: int) -> int:
        """All of them, where there is room; else none."""
        many = len(self._messages) + len(messages) > self._limit
        if self._closed or many or self._bytes + size > self._limit_bytes:
            return 0
        self._messages.extend(messages)
        self._bytes += size
        return len(messages)

    def _put_each(self, messages: Sequence[Message]) -> int:
        taken, end = 0, time.monotonic() + _PATIENCE_S
        for message in messages:
            if self._full():
                self._await_room(end)
            if self._closed:
                break
            if not self._full():
                self._messages.append(message)
                self._bytes += len(message.payload)
                taken += 1
        return taken

    def _await_room(self, end: float) -> None:
        """Wait for it as long as one message does, which changes meanwhile, but not after `end`."""
        self._filled.notify()
        begun = time.monotonic()
        while self._full() and not self._closed:
            left = min(begun + self._put_timeout, end) - time.monotonic()
            if left <= 0 or not self._room.wait(left):
                return

    def take(self, limit: int, age: float, pause: float, idle: float) -> list[Message]:
        """Up to `limit` messages, fewer where they are large, which bounds the batches in memory.

        Once there are as many, or the first was found `age` seconds ago, or none has come for
        `pause` seconds.

        Empty after `idle` seconds without any, or when closed and drained.
        """
        with self._lock:
            self._await(1, idle)
            if self._messages:
                self._gather(limit, age, pause)
            taken = self._first_of(limit)
            self._room.notify_all()
            return taken

    def _gather(self, limit: int, age: float, pause: float) -> None:
        """More to go with the first ones, while more come."""
        end = time.monotonic() + age
        while not self._closed and not self._has(limit):
            left = min(end, self._came + pause) - time.monotonic()
            if left <= 0:
                return
            self._await(limit, left)

    def _first_of(self, limit: int) -> list[Message]:
        taken: list[Message] = []
        left = self._bytes - _TAKEN_BYTES
        while self._messages and len(taken) < limit and self._bytes > left:
            message = self._messages.popleft()
            self._bytes -= len(message.payload)
            taken.append(message)
        return taken

    def close(self) -> None:
        """Accept no more messages; those inside can still be taken."""
        with self._lock:
            self._closed = True
            self._filled.notify_all()
            self._room.notify_all()

    def _full(self) -> bool:
        return len(self._messages) >= self._limit or self._bytes >= self._limit_bytes

    def _await(self, wanted: int, seconds: float) -> None:
        self._wanted = wanted
        self._filled.wait_for(lambda: self._closed or self._has(wanted), seconds)
        self._wanted = 1

    def _has(self, wanted: int) -> bool:
        """Whether there are as many, or what a batch takes of large ones."""
        return len(self._messages) >= wanted or self._bytes >= _TAKEN_BYTES

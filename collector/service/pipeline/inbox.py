"""Messages received and not yet stored: bounded, and in batches by size and age."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from collector.service.mqtt.reports import Reports

_TAKEN_BYTES = 4 * 1024 * 1024  # of payloads in a batch; its points take several times that
#: How long the messages of one read may wait together: until it has them, the broker hears nothing
#: from us, and disconnects us after one and a half keepalives of 30 s.
_PATIENCE_S = 30.0


class Message(Struct, frozen=True, gc=False):
    """What the broker delivered; `arrived` in ns since 1970 UTC; `retained`: a state, no event."""

    topic: str
    payload: bytes
    arrived: int
    retained: bool = False


class Read(NamedTuple):
    """Reports of one read; the first arrived then, and each a nanosecond after the one before."""

    reports: Reports
    arrived: int

    def messages(self) -> list[Message]:
        """What each of them says."""
        said = enumerate(self.reports.pairs(), self.arrived)
        return [Message(topic, payload, at) for at, (topic, payload) in said]


Part = Message | Read


class Inbox:
    """A queue between the broker's thread and the sorter.

    When it is full, a message waits for `put_timeout` seconds: TCP then slows the broker. During an
    outage of the store the timeout is 0: messages are turned away without a receipt, so that
    the hellos behind them are still answered; the agents send again.
    """

    def __init__(self, limit: int = 10_000, limit_bytes: int = 48 * 1024 * 1024) -> None:
        self._limit, self._limit_bytes = limit, limit_bytes
        self._parts: deque[Part] = deque()
        self._count = self._bytes = 0  # of messages in them
        self._wanted = 1
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._closed = False
        self._put_timeout = 1.0
        self._came = 0.0  # when the last message did

    def __len__(self) -> int:
        return self._count

    @property
    def first(self) -> int | None:
        """When the first message inside arrived, ns since 1970 UTC."""
        with self._lock:
            return self._parts[0].arrived if self._parts else None

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
            fits = self._put_at_once(messages, len(messages), size)
            return self._put(len(messages) if fits else self._put_each(messages))

    def put_reports(self, reports: Reports, arrived: int) -> int:
        """The same for reports of one read: these are read when they are taken."""
        one = Read(reports, arrived)
        with self._lock:
            if self._put_at_once((one,), len(reports), len(reports.packets)):
                return self._put(len(reports))
        return self.put_all(one.messages())

    def _put(self, count: int) -> int:
        """So many came: wake who waits for them."""
        if count:
            self._came = time.monotonic()
        if self._has(self._wanted):
            self._filled.notify()
        return count

    def _put_at_once(self, parts: Sequence[Part], count: int, size: int) -> bool:
        """Add all of them, where there is room."""
        many = self._count + count > self._limit
        if self._closed or many or self._bytes + size > self._limit_bytes:
            return False
        self._add(parts, count, size)
        return True

    def _add(self, parts: Sequence[Part], count: int, size: int) -> None:
        self._parts.extend(parts)
        self._count += count
        self._bytes += size

    def _put_each(self, messages: Sequence[Message]) -> int:
        taken, end = 0, time.monotonic() + _PATIENCE_S
        for message in messages:
            if self._full():
                self._await_room(end)
            if self._closed:
                break
            if not self._full():
                self._add((message,), *_size(message))
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

        Reports of one read come together, and may alone be more than that.

        Once there are as many, or the first was found `age` seconds ago, or none has come for
        `pause` seconds.

        Empty after `idle` seconds without any, or when closed and drained.
        """
        with self._lock:
            self._await(1, idle)
            if self._parts:
                self._gather(limit, age, pause)
            taken = self._first_of(limit)
            self._room.notify_all()
        return _read(taken)

    def _gather(self, limit: int, age: float, pause: float) -> None:
        """More to go with the first ones, while more come."""
        end = time.monotonic() + age
        while not self._closed and not self._has(limit):
            left = min(end, self._came + pause) - time.monotonic()
            if left <= 0:
                return
            self._await(limit, left)

    def _first_of(self, limit: int) -> list[Part]:
        taken: list[Part] = []
        left, most = self._bytes - _TAKEN_BYTES, self._count - limit
        while self._parts and self._bytes > left:
            count, size = _size(self._parts[0])
            if taken and self._count - count < most:
                break
            taken.append(self._parts.popleft())
            self._count -= count
            self._bytes -= size
        return taken

    def close(self) -> None:
        """Accept no more messages; those inside can still be taken."""
        with self._lock:
            self._closed = True
            self._filled.notify_all()
            self._room.notify_all()

    def _full(self) -> bool:
        return self._count >= self._limit or self._bytes >= self._limit_bytes

    def _await(self, wanted: int, seconds: float) -> None:
        self._wanted = wanted
        self._filled.wait_for(lambda: self._closed or self._has(wanted), seconds)
        self._wanted = 1

    def _has(self, wanted: int) -> bool:
        """Whether there are as many, or what a batch takes of large ones."""
        return self._count >= wanted or self._bytes >= _TAKEN_BYTES


def _size(part: Part) -> tuple[int, int]:
    """How many messages, and how many bytes they take."""
    if isinstance(part, Read):
        return len(part.reports), len(part.reports.packets)
    return 1, len(part.payload)


def _read(parts: Sequence[Part]) -> list[Message]:
    found: list[Message] = []
    for part in parts:
        if isinstance(part, Read):
            found += part.messages()
        else:
            found.append(part)
    return found

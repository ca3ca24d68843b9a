"""Connections that wait for a whole request, all in one thread.

A connection costs a thread only once its request has arrived whole: silent and slow ones cost a
few kB. They are bounded by time, in number, and in number an address, and what exceeds a bound is
cut, the longest silent first. A school's PCs share one address, so an address may have many.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

from agent.common import log
from collector.lineserver.addresses import Rates, group
from collector.lineserver.head import TOO_LARGE, UNREADABLE, Fault, missing

#: From its first byte a request must be whole after this, s.
REQUEST_S = 10.0
#: How long a connection may be silent before a request, s.
IDLE_S = 15.0
#: Waiting connections in all, and of one address.
MAX_WAITING, MAX_OF_ADDRESS = 5000, 256
_READ = 8192
_ACCEPTS = 64
_SCAN_S, _PARKED_S = 0.5, 0.02
_EMFILE_S = 0.05


class Bounds(NamedTuple):
    """What the front allows; times in s."""

    waiting: int = MAX_WAITING
    of_address: int = MAX_OF_ADDRESS
    request_s: float = REQUEST_S
    idle_s: float = IDLE_S


class Waiting:
    """A connection whose request is not whole yet."""

    __slots__ = ("address", "buffer", "deadline", "peer", "socket", "started")

    def __init__(self, connection: socket.socket, peer: str, buffer: bytes, deadline: float):
        self.socket, self.peer, self.address = connection, peer, group(peer)
        self.buffer, self.deadline = bytearray(buffer), deadline
        self.started = False


#: Answers a whole request at once, without blocking; None: a thread must.
Quick = Callable[[bytes], bytes | None]
#: Takes over a connection with its whole request.
Take = Callable[[Waiting], None]


class Front:
    """Accepts on `listener`, and hands over each connection that has a whole request."""

    def __init__(
        self,
        listener: socket.socket,
        take: Take,
        quick: Quick = lambda _: None,
        is_free: Callable[[bytes], bool] = lambda _: False,
        bounds: Bounds = Bounds(),  # noqa: B008
    ) -> None:
        """`is_free`: whether a request carries a running test's bytes, and so is not rationed."""
        self._listener, self._take, self._quick = listener, take, quick
        self._is_free, self._bounds = is_free, bounds
        self._rates = Rates()
        self.cut: Counter[str] = Counter()  # connections cut, by reason
        self._of: dict[str, dict[Waiting, None]] = {}  # by address, the longest waiting first
        self._count = 0
        self._parked: deque[Waiting] = deque()  # whole, but their address has had its share
        self._returned: deque[Waiting] = deque()
        self._selector = selectors.DefaultSelector()
        self._wake_in, self._wake_out = socket.socketpair()
        for one in (self._wake_in, self._wake_out, listener):
            one.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self._scan_at = 0.0
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="line-server", daemon=True)

    @property
    def waiting(self) -> int:
        """Connections without a whole request."""
        return self._count

    def start(self) -> None:
        """Accept, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Close what waits. Idempotent."""
        self._stopping = True
        self._wake()
        if self._thread.is_alive():
            self._thread.join()

    def give_back(self, connection: socket.socket, peer: str, rest: bytes) -> None:
        """Wait for the connection's next request, of which `rest` has arrived; from any thread."""
        deadline = time.monotonic() + self._bounds.idle_s
        self._returned.append(Waiting(connection, peer, rest, deadline))
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it wakes anyway
            self._wake_out.send(b"\0")

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._step()
            except Exception as error:  # must not end the only thread that accepts
                log.error("line_front_failed", reason=error, at=log.where(error))
        for waits in [one for of in self._of.values() for one in of]:
            self._drop(waits)
        self._selector.close()
        for end in (self._wake_in, self._wake_out):
            end.close()

    def _step(self) -> None:
        for key, _ in self._selector.select(_PARKED_S if self._parked else _SCAN_S):
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is self._wake_in:
                self._wake_in.recv(_READ)
            else:
                self._readable(key.data)
        while self._returned:
            self._add(self._returned.popleft())
        for _ in range(len(self._parked)):
            self._hand_over(self._parked.popleft())
        if time.monotonic() >= self._scan_at:
            self._scan()

    def _accept(self) -> None:
        for _ in range(_ACCEPTS):
            try:
                connection, peer = self._listener.accept()
            except BlockingIOError:
                return
            except OSError as error:  # out of descriptors, or it has gone already
                self.cut["no_descriptor"] += 1
                log.debug("accept_failed", reason=error)
                self._cut_longest("no_descriptor")
                time.sleep(_EMFILE_S)  # the listener stays readable: there is no event to wait for
                return
            connection.setblocking(False)
            deadline = time.monotonic() + self._bounds.idle_s
            self._add(Waiting(connection, str(peer[0]), b"", deadline))

    def _add(self, waits: Waiting) -> None:
        """Make room for it, and wait for its request."""
        mine = self._of.get(waits.address, {})
        if len(mine) >= self._bounds.of_address:
            self._cut(next(iter(mine)), "address_full")
        elif self._count >= self._bounds.waiting:
            self._cut_longest("server_full")
        with contextlib.suppress(ValueError, OSError):  # closed in the meantime
            waits.socket.setblocking(False)
            self._selector.register(waits.socket, selectors.EVENT_READ, waits)
            self._of.setdefault(waits.address, {})[waits] = None
            self._count += 1
            if waits.buffer:
                self._grown(waits)
            return
        waits.socket.close()

    def _cut_longest(self, why: str) -> None:
        """Cut the longest waiting connection of the address that has most."""
        if self._of:
            most = max(self._of.values(), key=lambda of: len(of))
            self._cut(next(iter(most)), why)

    def _readable(self, waits: Waiting) -> None:
        if waits not in self._of.get(waits.address, {}):  # cut in this very step
            return
        try:
            data = waits.socket.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(waits)
            return
        waits.buffer += data
        self._grown(waits)

    def _grown(self, waits: Waiting) -> None:
        if not waits.started:
            waits.started, waits.deadline = True, time.monotonic() + self._bounds.request_s
        lacks = missing(waits.buffer)
        if isinstance(lacks, Fault):
            self._answer_fault(waits, lacks)
        elif not lacks:
            self._selector.unregister(waits.socket)
            self._hand_over(waits)

    def _hand_over(self, waits: Waiting) -> None:
        """Answer a whole request at once, or have a thread do it, or park it for a while."""
        if waits not in self._of.get(waits.address, {}):  # cut while it was parked
            return
        head = bytes(waits.buffer[:_READ])
        if not self._is_free(head) and not self._rates.take(waits.address, time.monotonic()):
            self._parked.append(waits)
            return
        answer = self._quick(head)
        self._forget(waits)
        if answer is None:
            self._take(waits)
        elif self._sent(waits.socket, answer):
            deadline = time.monotonic() + self._bounds.idle_s
            self._add(Waiting(waits.socket, waits.peer, b"", deadline))
        else:
            waits.socket.close()

    @staticmethod
    def _sent(connection: socket.socket, data: bytes) -> bool:
        try:
            return connection.send(data) == len(data)
        except OSError:  # it is full, as its client does not read, or it has gone
            return False

    def _answer_fault(self, waits: Waiting, fault: Fault) -> None:
        self.cut[{UNREADABLE: "unreadable", TOO_LARGE: "too_large"}[fault]] += 1
        self._sent(waits.socket, fault.reply)
        self._drop(waits)

    def _scan(self) -> None:
        """Cut what has had its time."""
        now = time.monotonic()
        self._scan_at = now + _SCAN_S
        self._rates.forget(now)
        late = [one for of in self._of.values() for one in of if one.deadline <= now]
        for waits in late:
            self._cut(waits, "slow_request" if waits.started else "idle")

    def _cut(self, waits: Waiting, why: str) -> None:
        self.cut[why] += 1
        self._drop(waits)

    def _drop(self, waits: Waiting) -> None:
        with contextlib.suppress(KeyError, ValueError):  # a parked one is not registered
            self._selector.unregister(waits.socket)
        self._forget(waits)
        waits.socket.close()

    def _forget(self, waits: Waiting) -> None:
        mine = self._of.get(waits.address, {})
        if waits in mine:
            del mine[waits]
            self._count -= 1
            if not mine:
                del self._of[waits.address]

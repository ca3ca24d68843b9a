"""One thread that serves any number of links: it sleeps until a socket or a time calls.

A PC's agent has one link in it, a simulated city a thousand.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import selectors
import socket
import threading
import time
from collections import deque
from typing import Protocol

#: A link that knows no time of its own is looked at this often, s.
_LONGEST = 60.0
#: One that cannot tell when is looked at so soon, s.
_AGAIN = 1.0


class Served(Protocol):
    """What the loop serves. Only the loop's thread calls these; `next_step` alone may raise."""

    @property
    def socket(self) -> socket.socket | None:
        """The open socket."""

    @property
    def want_write(self) -> bool:
        """Whether bytes wait to be written."""

    def step(self, *, readable: bool = False) -> None:
        """Do what is to be done now."""

    def next_step(self) -> float | None:
        """Seconds until `step` is needed again, whatever the socket does."""


class Loop:
    """The thread. `add` and `wake` may be called from any other."""

    def __init__(self, name: str = "link") -> None:
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._called: deque[Served] = deque()  # appended by any thread
        self._sockets: dict[Served, tuple[socket.socket, int, int]] = {}  # socket, fd, events
        self._calls: list[tuple[float, int, Served]] = []
        self._times: dict[Served, float] = {}  # the heap's entry that counts
        self._order = itertools.count()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End the thread; links that are still open are left as they are."""
        self._stopping = True
        self._ring()
        self._thread.join(timeout)
        self._selector.close()
        self._bell.close()
        self._ear.close()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def wake(self, link: Served) -> None:
        """Let `link` take a step soon; a new one is served from now on."""
        self._called.append(link)
        self._ring()

    def _ring(self) -> None:
        # A full pipe has been rung already; a closed one has nobody left to wake.
        with contextlib.suppress(OSError):
            self._bell.send(b"\0")

    def _run(self) -> None:
        while not self._stopping:
            readable = self._wait()
            for link in self._due(readable):
                link.step(readable=link in readable)
                self._follow(link)
                self._plan(link)

    def _wait(self) -> set[Served]:
        """Sleep until something is to be done; returns the links with something to read."""
        readable = set()
        for key, events in self._selector.select(self._timeout()):
            if key.data is None:
                self._hush()
                continue
            link: Served = key.data
            self._called.append(link)
            if events & selectors.EVENT_READ:
                readable.add(link)
        return readable

    def _timeout(self) -> float:
        if self._called:
            return 0.0
        if not self._calls:
            return _LONGEST
        return max(0.0, self._calls[0][0] - time.monotonic())

    def _hush(self) -> None:
        with contextlib.suppress(OSError):
            while self._ear.recv(4096):
                pass

    def _due(self, readable: set[Served]) -> list[Served]:
        """The links to serve now, each once."""
        links = dict.fromkeys(readable)
        while self._called:
            links[self._called.popleft()] = None
        now = time.monotonic()
        while self._calls and self._calls[0][0] <= now:
            at, _, link = heapq.heappop(self._calls)
            if self._times.get(link) == at:
                links[link] = None
        return list(links)

    def _plan(self, link: Served) -> None:
        try:
            seconds = link.next_step()
        except Exception:  # a disk that fails to read: the step says so, the others go on
            seconds = _AGAIN
        at = time.monotonic() + (_LONGEST if seconds is None else seconds)
        self._times[link] = at
        heapq.heappush(self._calls, (at, next(self._order), link))

    def _follow(self, link: Served) -> None:
        """Watch the socket that the link has now, and no other."""
        old = self._sockets.get(link)
        now = link.socket
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if link.want_write else 0)
        if old is not None and old[0] is now:
            if old[2] != events:
                self._selector.modify(old[1], events, link)
                self._sockets[link] = (old[0], old[1], events)
            return
        if old is not None:
            # Closed meanwhile, so by its number: the object knows it no more.
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(old[1])
            del self._sockets[link]
        if now is not None and now.fileno() >= 0:
            self._selector.register(now.fileno(), events, link)
            self._sockets[link] = (now, now.fileno(), events)

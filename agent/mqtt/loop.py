"""One thread that serves any number of links: it sleeps until a socket is ready or a link is due.

The agent of a PC has one link, a simulated city a thousand.
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

#: A link that names no time gets a step this often, s.
_LONGEST = 60.0
#: A link whose `next_step` raises gets a step after this, s.
_RETRY_S = 1.0


class Served(Protocol):
    """A link, as the loop sees it. Called in the loop's thread only; just `next_step` may raise."""

    @property
    def socket(self) -> socket.socket | None:
        """The open socket; None where there is none."""

    @property
    def want_write(self) -> bool:
        """Whether bytes wait to be written."""

    def step(self, *, readable: bool = False) -> None:
        """Do what is due now."""

    def next_step(self) -> float | None:
        """Seconds until `step` is needed again, whatever the socket does."""


class Loop:
    """The thread. `add` and `wake` may be called from any other."""

    def __init__(self, name: str = "link") -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_in.setblocking(False)
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self._woken: deque[Served] = deque()  # links to serve now; appended by any thread
        self._sockets: dict[Served, tuple[socket.socket, int, int]] = {}  # socket, fd, events
        self._timers: list[tuple[float, int, Served]] = []  # a heap
        self._due_at: dict[Served, float] = {}  # earlier entries of the heap are outdated
        self._order = itertools.count()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End the thread; links that are still connected stay so."""
        self._stopping = True
        self._notify()
        self._thread.join(timeout)
        self._selector.close()
        self._wake_out.close()
        self._wake_in.close()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def wake(self, link: Served) -> None:
        """Let `link` take a step soon; a new one is served from now on."""
        self._woken.append(link)
        self._notify()

    def _notify(self) -> None:
        # If the buffer is full the thread wakes anyway; if it is closed the thread has ended.
        with contextlib.suppress(OSError):
            self._wake_out.send(b"\0")

    def _run(self) -> None:
        while not self._stopping:
            readable = self._wait()
            for link in self._due(readable):
                link.step(readable=link in readable)
                self._watch_socket(link)
                self._schedule(link)

    def _wait(self) -> set[Served]:
        """Sleep until a link is due; returns the links with something to read."""
        readable = set()
        for key, events in self._selector.select(self._timeout()):
            if key.data is None:
                self._drain_wakeups()
                continue
            link: Served = key.data
            self._woken.append(link)
            if events & selectors.EVENT_READ:
                readable.add(link)
        return readable

    def _timeout(self) -> float:
        if self._woken:
            return 0.0
        if not self._timers:
            return _LONGEST
        return max(0.0, self._timers[0][0] - time.monotonic())

    def _drain_wakeups(self) -> None:
        with contextlib.suppress(OSError):
            while self._wake_in.recv(4096):
                pass

    def _due(self, readable: set[Served]) -> list[Served]:
        """The links to serve now, each once."""
        links = dict.fromkeys(readable)
        while self._woken:
            links[self._woken.popleft()] = None
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            at, _, link = heapq.heappop(self._timers)
            if self._due_at.get(link) == at:
                links[link] = None
        return list(links)

    def _schedule(self, link: Served) -> None:
        try:
            seconds = link.next_step()
        except Exception:  # such as a disk error: the step reports it, the other links go on
            seconds = _RETRY_S
        at = time.monotonic() + (_LONGEST if seconds is None else seconds)
        self._due_at[link] = at
        heapq.heappush(self._timers, (at, next(self._order), link))

    def _watch_socket(self, link: Served) -> None:
        """Register the link's present socket with the selector, and unregister its old one."""
        old = self._sockets.get(link)
        now = link.socket
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if link.want_write else 0)
        if old is not None and old[0] is now:
            if old[2] != events:
                self._selector.modify(old[1], events, link)
                self._sockets[link] = (old[0], old[1], events)
            return
        if old is not None:
            # By its number: the socket is closed by now and has none.
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(old[1])
            del self._sockets[link]
        if now is not None and now.fileno() >= 0:
            self._selector.register(now.fileno(), events, link)
            self._sockets[link] = (now, now.fileno(), events)

"""New versions of the agent handed out, so that no line test is disturbed.

An address has one download at a time, at half of what the slowest lines carry, and none while a
test from it runs: what has begun is cut, and the agent goes on from there later.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from collector.release import shelf

#: Downloads at once, and bytes a second of each.
AT_ONCE, PER_SECOND = 16, 500_000
_CHUNK = 64 * 1024
_FILE = re.compile(rb"GET /releases/[0-9a-f]{64}[? ]")
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


class Part(NamedTuple):
    """What is sent of a file: from byte `start`, `size` in all."""

    file: BinaryIO
    start: int
    size: int


def is_file(head: bytes) -> bool:
    """Whether a request is for a version's file, which takes long."""
    return _FILE.match(head) is not None


class Downloads:
    """What runs, by address. Safe to use from several threads."""

    def __init__(
        self,
        folder: Path | None,
        is_testing: Callable[[str], bool],
        per_second: float = PER_SECOND,
        at_once: int = AT_ONCE,
    ) -> None:
        """`folder`: the shelf; None: nothing is handed out. `is_testing`: whether an address is."""
        self._folder, self._is_testing = folder, is_testing
        self._per_second, self._at_once = per_second, at_once
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._stopping = threading.Event()
        self.sent_bytes = 0

    def stop(self) -> None:
        """Cut all. Idempotent."""
        self._stopping.set()

    def begin(self, address: str) -> bool:
        """Take the address's place, until `end`; False: busy."""
        if self._is_testing(address):
            return False
        with self._lock:
            if address in self._running or len(self._running) >= self._at_once:
                return False
            self._running.add(address)
            return True

    def end(self, address: str) -> None:
        """Give the place back."""
        with self._lock:
            self._running.discard(address)

    def open(self, name: str, asked: str) -> Part | None:
        """A file of the shelf, from where the header `Range` says; None where there is none.

        A range that cannot be had is answered with the whole file, as HTTP allows. The caller
        closes it.
        """
        path = shelf.find(self._folder, name) if self._folder else None
        if path is None:
            return None
        size = path.stat().st_size
        match = re.fullmatch(r"bytes=([0-9]{1,15})-", asked)
        start = int(match[1]) if match and int(match[1]) < size else 0
        file = path.open("rb")
        file.seek(start)
        return Part(file, start, size)

    def pour(self, part: Part, connection: socket.socket, address: str) -> bool:
        """Send it at the rate allowed; False where it was cut. Raises OSError."""
        began, sent = time.monotonic(), 0
        while data := part.file.read(_CHUNK):
            if self._is_testing(address):
                return False
            connection.sendall(data)
            sent += len(data)
            with self._lock:
                self.sent_bytes += len(data)
            ahead = sent / self._per_second - (time.monotonic() - began)
            if self._stopping.wait(max(0.0, ahead)):
                return False
        return True

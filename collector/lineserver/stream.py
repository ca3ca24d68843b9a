"""A connection with the bytes that have arrived already, as the request handler reads it."""

from __future__ import annotations

import socket


class Stream:
    """Reads what was received before, then the socket; writes to the socket."""

    def __init__(self, connection: socket.socket, received: bytes | bytearray) -> None:
        self.socket = connection
        self._received = bytearray(received)
        self.closed = False

    @property
    def rest(self) -> bytes:
        """What was received and not read."""
        return bytes(self._received)

    def readline(self, limit: int = -1) -> bytes:
        """A line of what was received, or all of it: a head is whole before it is read."""
        end = self._received.find(b"\n") + 1 or len(self._received)
        return self.read(end if limit < 0 else min(end, limit))

    def read(self, count: int) -> bytes:
        """Bytes of what was received, fewer where there are fewer."""
        data = bytes(self._received[:count])
        del self._received[:count]
        return data

    def read1(self, count: int) -> bytes:
        """What there is, up to `count` bytes; waits for the socket where nothing is left."""
        return self.read(count) if self._received else self.socket.recv(count)

    def write(self, data: bytes) -> int:
        """Send it all."""
        self.socket.sendall(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """The socket is its owner's."""

"""A TCP way to a server that a test can cut: at once, or after so many bytes of the answers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Relay:
    """Passes connections on to 127.0.0.1:`target` while `open`; `seen` counts those it took.

    While `passing` is not set it keeps what it is sent, as a server that stands still: it goes on
    later, even where the client has gone.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.open, self.seen = True, 0
        self.passing = threading.Event()
        self.passing.set()
        self.left: int | None = None  # bytes that still come back; None: no end
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Listen no more."""
        self.passing.set()
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if not self.open:
                    client.close()
                    continue
                self.seen += 1
                server = socket.create_connection(("127.0.0.1", self._target))
                for pump, ends in ((self._there, (client, server)), (self._back, (server, client))):
                    threading.Thread(target=pump, args=ends, daemon=True).start()

    def _there(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            held = False
            while self.open and (block := client.recv(65_536)):
                held |= not self.passing.is_set()
                self.passing.wait()
                server.sendall(block)
            if held:  # the server has to see a client that waits; `_back` ends it
                return
        _shut(client, server)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while self.open and (block := server.recv(65_536)):
                if self.left is not None:
                    block, self.left = block[: self.left], max(0, self.left - len(block))
                if not block:
                    break
                client.sendall(block)
        _shut(client, server)


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def relay(target: int) -> Iterator[Relay]:
    """One that is closed at the end."""
    made = Relay(target)
    try:
        yield made
    finally:
        made.close()

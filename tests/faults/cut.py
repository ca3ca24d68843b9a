"""A network link that can be cut: a TCP relay of its own thread."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

import services


class Link:
    """Relays `port` to `target` of this machine until `close`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._door = socket.create_server(("127.0.0.1", services.free_port()))
        self.port = self._door.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._door, selectors.EVENT_READ)
        self._other: dict[socket.socket, socket.socket] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self) -> int:
        """Drop all connections; how many."""
        with self._lock:
            pairs = list(self._other)
            for end in pairs:
                self._drop(end)
        return len(pairs) // 2

    def close(self) -> None:
        """End."""
        self._closed = True
        self._thread.join(5)
        self.cut()
        self._door.close()

    def _run(self) -> None:
        while not self._closed:
            for key, _ in self._selector.select(0.2):
                with self._lock:
                    if key.fileobj is self._door:
                        self._accept()
                    elif key.fileobj in self._other:
                        self._relay(key.fileobj)  # type: ignore[arg-type]

    def _accept(self) -> None:
        near, _ = self._door.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self._target), 1)
        except OSError:
            near.close()
            return
        for one, other in ((near, far), (far, near)):
            self._other[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _relay(self, end: socket.socket) -> None:
        try:
            data = end.recv(1 << 16)
            if data:
                self._other[end].sendall(data)
                return
        except OSError:
            pass
        self._drop(end)

    def _drop(self, end: socket.socket) -> None:
        other = self._other.pop(end, None)
        if other is None:
            return
        self._other.pop(other, None)
        for one in (end, other):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(one)
            one.close()

"""A small HTTP proxy of CONNECT, which can refuse, ask for a login, stay silent, or babble."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Iterator


class ConnectProxy:
    """On a port of 127.0.0.1; `asked`: the request heads it got, `relayed`: bytes sent on."""

    def __init__(self, login: str = "", answer: bytes | None = b"") -> None:
        """`login`: user:password that it asks for. `answer`: said instead of relaying; None:
        nothing is ever said."""
        self.asked: list[str] = []
        self.relayed = 0
        self._login, self._answer = login, answer
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End it with all its connections."""
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := client.recv(4096)):
                    return
                head += data
            self.asked.append(head.decode())
            if self._answer is None:
                return
            answer = self._answer or self._refusal(head.decode())
            if answer:
                client.sendall(answer)
                client.close()
                return
            self._relay(client, head.split()[1].decode())

    def _refusal(self, head: str) -> bytes:
        given = base64.b64encode(self._login.encode()).decode()
        if self._login and f"Proxy-Authorization: Basic {given}\r\n" not in head:
            return b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
        return b""

    def _relay(self, client: socket.socket, target: str) -> None:
        host, _, port = target.rpartition(":")
        server = socket.create_connection((host.strip("[]"), int(port)))
        self._open.append(server)
        client.sendall(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n")
        back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
        back.start()
        self._copy(client, server)
        back.join()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.relayed += len(data)
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def connect_proxy(login: str = "", answer: bytes | None = b"") -> Iterator[ConnectProxy]:
    """A running proxy."""
    proxy = ConnectProxy(login, answer)
    try:
        yield proxy
    finally:
        proxy.close()

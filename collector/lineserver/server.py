"""The measurement server: a listening socket, a thread for each connection, a ledger of tests."""

from __future__ import annotations

import errno
import socket
import socketserver
import threading
from collections.abc import Callable
from typing import Any

from agent.common.language import say
from agent.wire import LineRecord
from collector.lineserver.handler import Handler
from collector.lineserver.keys import Keys
from collector.lineserver.ledger import Counts, Ledger
from collector.service.http_server import HttpServer

#: A test uses about ten connections.
MAX_CONNECTIONS = 1000


class CannotListenError(OSError):
    """The address cannot be listened on; the message says why and names the fix."""


class _Server(HttpServer):
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[Handler]) -> None:
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # As TCPServer does; HTTPServer would look up the host's name in DNS first.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()


class LineServer:
    """The measurement server on `host`:`port`, where 0 is a free port.

    `on_record` gets the record of each test once, from any thread.

    Raises:
        CannotListenError: the port is in use, or the address is not of this machine.
    """

    def __init__(
        self,
        host: str,
        port: int,
        on_record: Callable[[LineRecord], None],
        ledger: Ledger | None = None,
        keys: Keys | None = None,
    ) -> None:
        """Without a `ledger` turns are not stored on disk; without `keys` no key is required."""
        self._ledger = ledger or Ledger(on_record)
        given = {"ledger": self._ledger, "keys": keys or Keys(None)}
        handler = type("_Handler", (Handler,), given)
        try:
            self._server = _Server((host, port), handler)
        except OSError as error:
            raise CannotListenError(_why(host, port, error)) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="line-server", daemon=True
        )

    @property
    def port(self) -> int:
        """The port listened on."""
        return int(self._server.server_address[1])

    @property
    def counts(self) -> Counts:
        """What the server has done since its start."""
        return self._ledger.counts

    def start(self) -> None:
        """Answer requests, in background threads."""
        self._ledger.start()
        self._thread.start()

    def stop(self) -> None:
        """Refuse new connections, end running tests, and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._ledger.stop()
        self._server.server_close()


def _why(host: str, port: int, error: OSError) -> str:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return say(
            f"{where} 端口已被占用：换一个端口（--port），或停掉占用它的程序",
            f"{where} is in use: choose another port (--port), or stop the program that has it",
        )
    return say(f"不能监听 {where}：{error}", f"cannot listen on {where}: {error}")

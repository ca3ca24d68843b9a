"""paho's client, with a socket of our making: through the settings' proxy, and within a deadline.

paho can use a proxy with a further library only. What is overridden here is private to it: the
tests with proxies and WebSockets hold it against each version of paho.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

from paho.mqtt.client import Client

from agent.common.broker_settings import AgentBroker

#: How long a connection may take to open, TLS and WebSocket together, s.
OPEN_S = 20.0


class SocketClient(Client):
    """Used by one thread."""

    def __init__(self, broker: AgentBroker, *args: Any, **more: Any) -> None:
        """Raises SettingsError where the file of the proxy's password cannot be read."""
        super().__init__(*args, **more)
        self._through = broker.proxy_server()
        self._raw: socket.socket | None = None

    def _create_socket_connection(self) -> socket.socket:
        if self._through is None:
            self._raw = super()._create_socket_connection()
        else:
            from agent.mqtt.proxy import through  # at first use: few schools have a proxy

            self._raw = through(self._through, self._host, self._port, self._connect_timeout)
        return self._raw

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        made = super()._ssl_wrap_socket(tcp_sock)
        self._raw = made  # the one below it has given its descriptor away
        return made

    @contextlib.contextmanager
    def deadline(self) -> Iterator[None]:
        """Close the socket where the block takes longer than `OPEN_S`.

        paho reads the answer of a WebSocket byte by byte, each with a timeout of its own: a
        server that sends one now and then would hold the loop, with all its links, for ever.
        """
        if self.transport != "websockets":
            yield
            return
        timer = threading.Timer(OPEN_S, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._raw = None

    def _cut(self) -> None:
        raw = self._raw
        with contextlib.suppress(OSError):
            if raw is not None:
                socket.socket.shutdown(raw, socket.SHUT_RDWR)  # TLS reads its end

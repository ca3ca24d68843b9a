"""A connection through an HTTP proxy: one CONNECT, and then its bytes are ours."""

from __future__ import annotations

import base64
import re
import socket
import time

from agent.common.broker_settings import Proxy

_LONGEST = 16 * 1024  # of the proxy's answer to CONNECT, bytes
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")


class ProxyError(ConnectionError):
    """The proxy does not let us through; `status` of its answer, 0 where it gave none."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


def through(proxy: Proxy, host: str, port: int, timeout: float) -> socket.socket:
    """A connection to the broker through the proxy; takes at most about `timeout` s twice.

    Raises:
        ProxyError: it cannot be reached, refuses (403), wants a login (407), or does not answer.
    """
    try:
        made = socket.create_connection((proxy.host, proxy.port), timeout)
    except OSError as error:
        raise ProxyError(f"the proxy {proxy} cannot be reached: {error}") from error
    try:
        made.sendall(_request(proxy, host, port))
        _check(proxy, _answer(made, time.monotonic() + timeout))
    except ProxyError:
        made.close()
        raise
    except OSError as error:
        made.close()
        raise ProxyError(f"the proxy {proxy} does not answer CONNECT: {error}") from error
    return made


def _request(proxy: Proxy, host: str, port: int) -> bytes:
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    lines = [f"CONNECT {name}:{port} HTTP/1.1", f"Host: {name}:{port}"]
    if proxy.username:
        login = base64.b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {login}")
    return "\r\n".join([*lines, "", ""]).encode()


def _answer(made: socket.socket, deadline: float) -> bytes:
    """The head of the answer; byte by byte, as what follows belongs to the broker.

    Raises:
        TimeoutError: it is not there by `deadline`.
        ConnectionError: it ends before, or is too long.
    """
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        made.settimeout(left)
        byte = made.recv(1)
        if not byte:
            raise ConnectionError("it closed the connection")
        head += byte
        if len(head) > _LONGEST:
            raise ConnectionError("its answer has no end")
    return bytes(head)


def _check(proxy: Proxy, head: bytes) -> None:
    """Raise ProxyError unless the proxy lets us through."""
    line = head.split(b"\r\n", 1)[0]
    match = _STATUS.match(line)
    if match is None:
        raise ProxyError(f"the proxy {proxy} does not speak HTTP: {line[:60]!r}")
    status = int(match[1])
    if 200 <= status < 300:
        return
    told = line[:80].decode("ascii", errors="replace")
    if status == 407:
        raise ProxyError(f"the proxy {proxy} wants another username or password: {told}", 407)
    raise ProxyError(f"the proxy {proxy} refuses the connection: {told}", status)

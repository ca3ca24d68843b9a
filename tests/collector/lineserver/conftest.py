"""A measurement server on a free port, and plain requests to it."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from agent.wire import LineRecord
from attacked_server import city, serve
from collector.lineserver.server import LineServer

__all__ = ["city", "serve"]  # fixtures


class Running(NamedTuple):
    server: LineServer
    records: list[LineRecord]
    ask: Callable[..., tuple[int, Any]]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)


@pytest.fixture
def running() -> Iterator[Running]:
    records: list[LineRecord] = []
    server = LineServer("127.0.0.1", 0, records.append)
    server.start()
    yield _asking(server, records)
    server.stop()


@pytest.fixture
def served() -> Iterator[Callable[..., Running]]:
    """Starts a server of the test's own making."""
    with contextlib.ExitStack() as stack:

        def serve(*words: Any) -> Running:
            server = LineServer("127.0.0.1", 0, *words)
            server.start()
            stack.callback(server.stop)
            return _asking(server, [])

        yield serve


def _asking(server: LineServer, records: list[LineRecord]) -> Running:
    def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, path, data)
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        is_json = reply.headers["Content-Type"] == "application/json"
        return reply.status, json.loads(content) if is_json else content

    return Running(server, records, ask)

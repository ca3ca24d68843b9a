"""A measurement server that holds the keys of two schools, and asks as their agents ask it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent.common import signing
from agent.wire import LineRecord
from collector.lineserver import keys
from collector.lineserver.front import Bounds
from collector.lineserver.ledger import Ledger
from collector.lineserver.server import LineServer
from collector.lineserver.turns import Answer, Limits, Wish

A, B = "9963010001", "9963010002"
MACHINE = "ab" * 16
LINE = "主线"
WISH = {"school": A, "machine": MACHINE, "line": LINE, "max_seconds": 5}
Answered = tuple[int, Any]


def registered(wish: Wish) -> Limits | Answer:
    """Each school has the lines 主线 and L0 to L9."""
    known = {LINE, *(f"L{n}" for n in range(10))}
    return Limits(by_hand=1000, month_bytes=10**12) if wish.line in known else "unknown_line"


class City(NamedTuple):
    server: LineServer
    folder: Path
    records: list[LineRecord]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), 120)

    def get(self, path: str) -> Answered:
        return self._asked("GET", path, b"", "")

    def ask(self, school: str, line: str = LINE, key: str = "", **more: Any) -> Answered:
        """Ask for a turn, signed with a key of `school`, as an agent does."""
        body = json.dumps({**WISH, "school": school, "line": line, **more}).encode()
        status, answer = self._asked("POST", "/v1/tests", body, "")
        if status != 401:
            return status, answer
        key = key or (self.folder / f"{school}.key").read_text().strip()
        signed = signing.header(key, school, "POST", "/v1/tests", answer["nonce"], body)
        return self._asked("POST", "/v1/tests", body, signed)

    def _asked(self, method: str, path: str, body: bytes, authorization: str) -> Answered:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        connection.request(method, path, body or None, {"Authorization": authorization})
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        is_json = reply.headers["Content-Type"] == "application/json"
        return reply.status, json.loads(content) if is_json else content.decode("latin-1")

    @property
    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/healthz")[1]
        return found


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., City]]:
    """Starts a server with keys for A and B; `bounds` as given."""
    folder = tmp_path / "keys"
    for school in (A, B):
        keys.make(folder, school)
    with contextlib.ExitStack() as stack:

        def start(**bounds: Any) -> City:
            records: list[LineRecord] = []
            ledger = Ledger(records.append, limits=registered)
            held = keys.Keys(folder)
            server = LineServer("127.0.0.1", 0, records.append, ledger, held, Bounds(**bounds))
            server.start()
            stack.callback(server.stop)
            return City(server, folder, records)

        yield start


@pytest.fixture
def city(serve: Callable[..., City]) -> City:
    return serve()


def ended(connection: socket.socket) -> bytes:
    """What a connection brings until the server closes it."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while block := connection.recv(65536):
            data += block
    return data

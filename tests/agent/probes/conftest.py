"""Measurement servers, good and bad, and a look at what a line test leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.probes.line import child as line_child
from agent.wire import LineRecord
from collector.lineserver.server import LineServer
from services import PATIENCE_S

WHO = {"school": "9963010001", "machine": "ab" * 16, "line": "主线"}
EDIDS = Path(__file__).parents[4] / "shared/edid/edids.jsonl"


@pytest.fixture
def who() -> dict[str, str]:
    return dict(WHO)


@pytest.fixture
def line_server() -> Iterator[tuple[str, list[LineRecord]]]:
    """The real server on a free port, and the records it makes."""
    records: list[LineRecord] = []
    server = LineServer("127.0.0.1", 0, records.append)
    server.start()
    yield f"http://127.0.0.1:{server.port}", records
    server.stop()


@pytest.fixture
def load_processes() -> Callable[[], list[int]]:
    """Lists the process ids of our children that make a line test's load."""

    def running() -> list[int]:
        ours = psutil.Process(os.getpid()).children(recursive=True)
        return [child.pid for child in ours if line_child.MODULE in child.cmdline()]

    return running


@pytest.fixture(autouse=True)
def no_child_left(load_processes: Callable[[], list[int]]) -> Iterator[None]:
    """Whatever a test does, no load process outlives it."""
    yield
    assert not load_processes()


Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def odd_server() -> Iterator[Callable[[Answer], str]]:
    """Starts a server that grants tests as it should; all else is answered by the caller."""
    with contextlib.ExitStack() as stack:

        def start(answer: Answer) -> str:
            server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer))
            server.daemon_threads = True
            server.block_on_close = False
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}"

        yield start


def _handler(answer: Answer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                answer(self)

        def do_POST(self) -> None:
            if self.path == "/v1/tests":
                self.rfile.read(int(self.headers["Content-Length"]))
                reply(self, 201, {"id": "1" * 32, "path": "/t/" + "1" * 32, "lease_s": 25})
            elif self.path.endswith("/done"):
                self.rfile.read(int(self.headers["Content-Length"]))
                if (own := getattr(answer, "seen", None)) is not None:
                    reply(self, 200, own)
                    return
                seen = {"sent_bytes": 10**9, "received_bytes": 0, "down": [], "up": []}
                reply(self, 200, {**seen, "solo": True, "server_limited": False})
            else:
                self.do_GET()

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


def reply(request: BaseHTTPRequestHandler, status: int, body: Any) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request.send_response(status)
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    request.wfile.write(data)


@pytest.fixture
def replies() -> Callable[..., None]:
    return reply


@pytest.fixture
def raw_server() -> Iterator[Callable[[bytes], str]]:
    """Starts a server that answers every connection with these bytes, and closes it."""
    listening: list[tuple[socket.socket, threading.Thread]] = []

    def start(answer: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=_answer_all, args=(listener, answer), daemon=True)
        listening.append((listener, thread))
        thread.start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener, thread in listening:
        # Closed alone, its number may become the next listener's, and this thread answer there.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE_S)
        listener.close()


def _answer_all(listener: socket.socket, answer: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                # Closed with the rest of the request unread, it would take the answer back.
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(PATIENCE_S)
                while connection.recv(65536):
                    pass

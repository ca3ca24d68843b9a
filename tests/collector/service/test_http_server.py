"""A request that fails is one event with its reason; a connection that ends is none."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from collector.service.http_server import HttpServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/bug":
            raise ValueError("not\nexpected")
        raise ConnectionResetError("the client has left")


@pytest.fixture
def port() -> Iterator[int]:
    server = HttpServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False  # closing waits for them: all is logged then
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()


def ask(port: int, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        connection.getresponse()
    connection.close()


def test_a_bug_in_a_request_is_one_line_with_its_reason(
    port: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    ask(port, "/left")
    ask(port, "/bug")  # handled after it was logged: the answer is the connection's end
    (line,) = [text for text in caplog.messages if text.startswith("request_failed")]
    assert 'reason="ValueError: not\\nexpected" at=' in line
    assert "Traceback" not in capfd.readouterr().err

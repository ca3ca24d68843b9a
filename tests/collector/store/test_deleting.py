"""What is sent to delete rows from InfluxDB 2.x, whose predicates know no \\u."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from collector.config import Store as Settings
from collector.store.influx import InfluxStore


class Second(BaseHTTPRequestHandler):
    """Its /ping, and its answer to a deletion."""

    asked: list[dict[str, str]]

    def do_GET(self) -> None:
        self.send_response(204)
        self.send_header("X-Influxdb-Version", "v2.9.1")
        self.end_headers()

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def second() -> Iterator[ThreadingHTTPServer]:
    Second.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Second)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("line", "said"),
    [("主线", '"主线"'), ('x"y', r'"x\"y"'), ("a\\b", r'"a\\b"'), ("é", '"é"')],
)
def test_names_of_lines_stand_in_the_predicate_as_they_are(
    second: ThreadingHTTPServer, line: str, said: str
) -> None:
    url = f"http://127.0.0.1:{second.server_address[1]}"
    with InfluxStore(Settings("influxdb", url, "t", org="o")) as store:
        store.delete("line_test", 0, 10**9, {"school": "9963000001", "line": line})
    (asked,) = Second.asked
    assert asked["predicate"].endswith(f"line={said}")

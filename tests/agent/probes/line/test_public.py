"""The public mode: the real speedtest-cli, against an emulation of speedtest.net's protocol.

The emulation is the proxy, which speedtest-cli follows, and the server that it finds: no request
leaves this machine.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from agent.probes.line import public

# Ratio 3: of the second size speedtest-cli sends seven bytes too few, and waits for ten seconds.
CONFIG = """<?xml version="1.0" encoding="UTF-8"?><settings>
<client ip="192.0.2.1" lat="36.6" lon="101.7" isp="x" isprating="3" rating="0" country="CN"/>
<server-config threadcount="4" ignoreids="" />
<download testlength="1" threadsperurl="1"/>
<upload testlength="1" ratio="3" maxchunkcount="7" threads="2"/></settings>"""
SERVERS = """<?xml version="1.0" encoding="UTF-8"?><settings><servers>
<server url="http://127.0.0.1:{port}/speedtest/upload.php" lat="36.6" lon="101.7" name="西宁"
 country="CN" sponsor="示例" id="1" host="127.0.0.1:{port}"/></servers></settings>"""


class SpeedtestNet(BaseHTTPRequestHandler):
    server: ThreadingHTTPServer
    broken = False

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.endswith("speedtest-config.php"):
            self.answer(CONFIG.encode())
        elif "speedtest-servers" in path:
            self.answer(SERVERS.replace("{port}", str(self.server.server_port)).encode())
        elif self.broken:
            self.send_error(404)
        elif path.endswith("latency.txt"):
            self.answer(b"test=test\n")
        else:
            self.answer(bytes(300_000))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"size=500")

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[SpeedtestNet]]:
    handler = type("Handler", (SpeedtestNet,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    yield handler
    server.shutdown()
    server.server_close()


def test_the_internets_figure(net: type[SpeedtestNet]) -> None:
    found = public.run(secure=False, seconds=240)
    assert "error" not in found, found
    assert found["down_mbps"] > 0
    assert found["up_mbps"] > 0
    assert 0 <= found["latency_ms"] < 100_000
    assert found["server"] == "示例, 西宁"
    assert found["bytes"] > 300_000


def test_a_server_that_answers_nothing_but_404_makes_no_figure(net: type[SpeedtestNet]) -> None:
    net.broken = True
    found = public.run(secure=False, seconds=240)
    assert set(found) == {"error"}


def test_no_network_makes_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert set(public.run(secure=False, seconds=240)) == {"error"}

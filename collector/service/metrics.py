"""/metrics: the collector's own counts as Prometheus text, for a monitoring system."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Iterable, Iterator

from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.schema import MEASUREMENTS
from collector.service.http_server import HttpServer
from collector.service.pipeline.counts import Counts
from collector.service.self_metrics import SelfMetrics


class Metrics:
    """Serves GET /metrics on `address` (host:port) from a thread of its own."""

    def __init__(self, address: str, counts: Counts, self_metrics: SelfMetrics) -> None:
        """Take the port.

        Raises:
            RefusedError: the address is not valid, or in use.
        """
        self._counts, self._self_metrics = counts, self_metrics
        host, _, port = address.rpartition(":")
        try:
            self._server = HttpServer((host, int(port)), self._handler())
        except (OSError, ValueError, OverflowError) as error:
            raise RefusedError(
                say(
                    f"metrics = {address!r}: 不能监听：{error}。要写成 主机:端口，端口没有被占用",
                    f"metrics = {address!r}: cannot listen: {error}. Use host:port, a free port",
                )
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="metrics", daemon=True
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Serve until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the port. Idempotent."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(1)
        self._server.server_close()

    def text(self) -> str:
        """All metrics in the Prometheus exposition format 0.0.4."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        known = MEASUREMENTS["collector"].fields
        for name, count in self._counts.snapshot().items():
            meaning = known[name].meaning if name in known else name
            yield from _one(f"{name}_total", "counter", meaning, [("", count)])
        reasons = [(f'{{reason="{_label(r)}"}}', n) for r, n in self._counts.reasons.items()]
        yield from _one("quarantined_by_reason_total", "counter", "messages set aside", reasons)
        for name, value in self._self_metrics.gauges().items():
            yield from _one(name, "gauge", known[name].meaning, [("", float(value))])
        for name, count in self._self_metrics.broker.items():
            meaning = MEASUREMENTS["broker"].fields[name].meaning
            yield from _one(f"broker_{name}", "gauge", meaning, [("", count)])

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        metrics = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                if self.path.partition("?")[0] != "/metrics":
                    self.send_error(404)
                    return
                body = metrics.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """A line for each scrape would be noise."""

        return Handler


def _one(name: str, kind: str, meaning: str, rows: Iterable[tuple[str, float]]) -> Iterator[str]:
    full = f"schoolpulse_{name}"
    yield f"# HELP {full} {meaning}"
    yield f"# TYPE {full} {kind}"
    for labels, value in rows:
        yield f"{full}{labels} {value:g}" if value < 1e6 else f"{full}{labels} {value:.0f}"


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def ca_ends(path: str) -> float | None:
    """When the first CA of a file ends, s since 1970 UTC; None where that is not known."""
    if not path:
        return None
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(path)
        ends = [found.get("notAfter") for found in context.get_ca_certs()]
    except (OSError, ssl.SSLError):  # the connection reports what is wrong
        return None
    return min(
        (ssl.cert_time_to_seconds(end) for end in ends if isinstance(end, str)), default=None
    )

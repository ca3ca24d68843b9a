"""An InfluxDB that believes in another day: between Grafana, which asks for now, and the store."""

from __future__ import annotations

import re
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PATIENCE_S = 60


class Clock:
    """The moment that every `now()` of a query means, ns since 1970."""

    def __init__(self) -> None:
        self.now = 0

    def told(self, query: str) -> str:
        """The query with that moment instead of `now()`."""
        moment = datetime.fromtimestamp(self.now // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return re.sub(r"\bnow\(\)", f"'{moment}'", query)


@contextmanager
def asked_at(url: str) -> Iterator[tuple[str, Clock]]:
    """Passes /query on to the InfluxDB at `url`; its own address, and the clock."""
    clock = Clock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, text = self.path.partition("?")
            form = dict(urllib.parse.parse_qsl(text))
            asked = urllib.parse.urlencode({**form, "q": clock.told(form.get("q", ""))})
            with urllib.request.urlopen(f"{url}{path}?{asked}", timeout=_PATIENCE_S) as reply:
                body = reply.read()
                self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: pytest shows what failed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", clock
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

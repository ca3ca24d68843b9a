"""How the measurement server's answers are written."""

from __future__ import annotations

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

import msgspec

from agent.common import log

_NO_MORE: Mapping[str, str] = {}


class Replies(BaseHTTPRequestHandler):
    """JSON, texts, heads, refusals."""

    def _json(self, status: int, body: Any) -> None:
        self._reply(status, msgspec.json.encode(body), "application/json")

    def _refuse(self, status: int, why: str) -> None:
        self.close_connection = True  # its body may not have been read
        self._json(status, {"error": why})

    def _reply(self, status: int, body: bytes, kind: str) -> None:
        self._head(status, len(body), kind)
        self.wfile.write(body)

    def _head(
        self, status: int, length: int, kind: str, more: Mapping[str, str] = _NO_MORE
    ) -> None:
        self.send_response(status)
        for name, value in more.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.send_header("Cache-Control", "no-store, no-transform")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are counted, not logged."""
        log.debug("request", line=format % args)

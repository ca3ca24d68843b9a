"""An HTTP server whose faults are events of the log."""

from __future__ import annotations

import sys
from http.server import ThreadingHTTPServer
from typing import Any

from agent.common import log


class HttpServer(ThreadingHTTPServer):
    """A thread for each connection; none of them keeps the process from ending."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log a request that failed; a connection that ended, at any time, is no fault."""
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError | TimeoutError):
            log.error("request_failed", reason=error, at=log.where(error))

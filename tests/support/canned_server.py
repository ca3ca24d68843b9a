"""An HTTP server that answers everything with one reply, as a database or a proxy would."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class CannedServer(ThreadingHTTPServer):
    """Answers everything with one reply, and remembers what it was asked."""

    status, body = 200, b""
    cut = False
    piece = 0  # bytes of each chunk, or 0: no chunks

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        self.more: dict[str, str] = {}  # headers of each answer

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: CannedServer

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.do_GET()

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        if self.server.piece:
            self._in_pieces(self.server.piece)
            return
        self.send_response(self.server.status)
        more = 100 if self.server.cut else 0
        body = b"" if self.server.status == 204 else self.server.body
        for name, value in self.server.more.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + more))
        self.end_headers()
        self.wfile.write(body)

    def _in_pieces(self, size: int) -> None:
        self.protocol_version = "HTTP/1.1"
        self.send_response(self.server.status)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(self.server.body), size):
            piece = self.server.body[start : start + size]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Quiet."""

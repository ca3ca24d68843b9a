"""One connection to the measurement server: speedtest-cli's mini protocol, and requests for turns.

POST /v1/tests                        ask for a turn: 201 granted, 409 busy, enough or later,
                                      503 full, 401 with a nonce to sign, 403 wrong key
POST /v1/tests/<id>/done              end it: 200 with what the server measured
GET  /t/<id>/                         the page that speedtest-cli expects
GET  /t/<id>/speedtest/latency.txt    test=test
GET  /t/<id>/speedtest/random<N>x<N>.jpg   2·N² incompressible bytes
POST /t/<id>/speedtest/upload.php     any body; answers size=<bytes>
GET  /releases/manifest.json          the signed list of the agent's versions
GET  /releases/<sha256>               a version's file; 503 while the address tests or downloads
GET  /healthz                         200 and the counts as JSON
GET  /metrics                         the counts for Prometheus

Refusals by school are told to this machine alone, by both of the last two.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
from http.server import BaseHTTPRequestHandler
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from agent.common import decoding
from agent.version import VERSION
from collector.lineserver import status
from collector.lineserver.addresses import group, plain
from collector.lineserver.downloads import Downloads
from collector.lineserver.head import MAX_BODY
from collector.lineserver.keys import Keys, Request
from collector.lineserver.ledger import Ledger
from collector.lineserver.limits import explained
from collector.lineserver.replies import Replies
from collector.lineserver.running import Running
from collector.lineserver.stream import Stream
from collector.lineserver.turns import Ending, Later, Wish

#: Random bytes, sent repeatedly, each time from another offset.
_NOISE = memoryview(os.urandom(4 * 1024 * 1024))
_CHUNK = 256 * 1024
_MAX_SIDE = 10_000  # random<N>x<N>: 200 MB
_MAX_UPLOAD = 1_000_000_000
_IDLE_S = 15.0
#: A school whose key asks too often, or without end, asks again after this, s.
_TOO_OFTEN_S = 30
_FORBIDDEN = ("unknown_line",)
_PAGE = b'<html><script>var settings = {upload_extension: "php"};</script></html>\n'
_RANDOM = re.compile(r"random([1-9][0-9]{0,4})x\1\.jpg")


class Done(Struct, frozen=True):
    """The body of POST /v1/tests/<id>/done; `ok`: the agent's test was completed."""

    ok: bool = True


class Seen(Struct, frozen=True):
    """What the server measured of a test: bytes of payload, and samples of (s, bytes)."""

    sent_bytes: int
    received_bytes: int
    solo: bool
    server_limited: bool
    down: Annotated[list[tuple[float, int]], Meta(max_length=10_000)]
    up: Annotated[list[tuple[float, int]], Meta(max_length=10_000)]
    down_frames: Annotated[list[tuple[float, int]], Meta(max_length=10_000)] = []  # on the wire
    up_frames: Annotated[list[tuple[float, int]], Meta(max_length=10_000)] = []  # on the wire
    loss_share: float | None = None  # share of segments down that were retransmitted
    window_share: float | None = None  # share of the download that waited for the PC's windows


class Handler(Replies, BaseHTTPRequestHandler):
    """Answers one request, which has arrived whole but for an upload's body."""

    protocol_version = "HTTP/1.1"
    server_version = f"SchoolPulse/{VERSION}"
    sys_version = ""
    timeout = _IDLE_S
    disable_nagle_algorithm = True
    ledger: Ledger  # given by the server
    keys: Keys
    front: status.Front
    downloads: Downloads

    def __init__(self, stream: Stream, peer: str) -> None:
        self.rfile = self.wfile = stream  # type: ignore[assignment]
        self.connection = self.request = stream.socket
        self.client_address = (peer, 0)
        self.close_connection = True

    def answer(self) -> bool:
        """Answer the request; whether the connection is open for another one."""
        self.connection.settimeout(self.timeout)
        with contextlib.suppress(OSError):  # a client that disconnects is not an error
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            self.handle_one_request()
            return not self.close_connection
        return False

    def do_GET(self) -> None:
        """The page, latency.txt, random bytes, health, metrics."""
        path = self.path.partition("?")[0]
        if path == "/healthz":
            self._json(200, status.health(self.ledger, self.front, by_school=self._is_local()))
        elif path == "/metrics":
            text = status.metrics(self.ledger, self.front, by_school=self._is_local())
            self._reply(200, text.encode(), "text/plain; version=0.0.4")
        elif path.startswith("/releases/"):
            self._release(path.removeprefix("/releases/"))
        elif (found := self._test(path)) is not None:
            self._mini_get(*found)
        else:
            self._refuse(404, "no such page, or the test has ended")

    def _release(self, name: str) -> None:
        part = self.downloads.open(name, self.headers.get("Range", ""))
        if part is None:
            self._refuse(404, "no such file")
            return
        with part.file:
            self.close_connection = True
            more = {"Content-Range": f"bytes {part.start}-{part.size - 1}/{part.size}"}
            left, kind = part.size - part.start, "application/octet-stream"
            self._head(206 if part.start else 200, left, kind, more if part.start else {})
            self.downloads.pour(part, self.connection, group(self.client_address[0]))

    def do_POST(self) -> None:
        """Requests for turns, ends of tests, uploads."""
        path = self.path.partition("?")[0]
        length = self._length()
        if length is None:
            self._refuse(411, "a body of known length is needed")
        elif path == "/v1/tests":
            self._ask(length)
        elif match := re.fullmatch(r"/v1/tests/([0-9a-f]{32})/done", path):
            self._done(match[1], length)
        elif (found := self._test(path)) is not None and found[1] == "speedtest/upload.php":
            self._receive_upload(found[0], length)
        else:
            self._refuse(404, "no such page, or the test has ended")

    def _is_local(self) -> bool:
        address = plain(self.client_address[0])
        return address is not None and address.is_loopback

    def _test(self, path: str) -> tuple[Running, str] | None:
        match = re.fullmatch(r"/t/([0-9a-f]{32})(?:/(.*))?", path)
        running = self.ledger.find(match[1]) if match else None
        return (running, match[2] or "") if match and running else None

    def _mini_get(self, running: Running, rest: str) -> None:
        if not rest:
            self._reply(200, _PAGE, "text/html")
        elif rest == "speedtest/latency.txt":
            self._reply(200, b"test=test\n", "text/plain")
        elif (match := _RANDOM.fullmatch(rest.removeprefix("speedtest/"))) and (
            side := int(match[1])
        ) <= _MAX_SIDE:
            self._send_random(running, 2 * side * side)
        else:
            self._refuse(404, "no such page")

    def _ask(self, length: int) -> None:
        body = self._raw(length)
        wish = None if body is None else self._read(body, Wish)
        if body is None or wish is None or not self._authorized(wish.school, body):
            return
        answer = self.ledger.ask(wish)
        if isinstance(answer, Later):
            self._later(wish.school, answer)
            return
        turn = answer.turn
        lease = round(turn.until - turn.started, 3)
        path = f"/t/{turn.id}"
        self._json(201, {"id": turn.id, "path": path, "lease_s": lease, "long": turn.long})

    def _later(self, school: str, later: Later) -> None:
        """Say why there is no test now; an agent that knows no more asks a full server again."""
        why = later.answer
        if why not in ("busy", "enough", "later"):
            # Without keys a school is whatever a request says, and there is no end of them.
            self.ledger.refused(why, school if self.keys.required else "")
        if why in _FORBIDDEN:
            self._json(403, {"error": explained(why), "reason": why})
        elif why in ("no_lines", "too_often", "school_full", "full"):
            body = {"answer": "full", "retry_s": later.retry_s, "error": explained(why)}
            self._json(503, body)
        else:
            self._json(409, {"answer": why, "retry_s": later.retry_s})

    def _authorized(self, school: str, body: bytes) -> bool:
        """Whether the request is signed with the school's key; if not, answers it."""
        signature = self.headers.get("Authorization", "")
        why = self.keys.refuse(school, Request(self.command, self.path, body, signature))
        if why in ("not signed", "stale nonce"):
            self._json(401, {"error": why, "nonce": self.keys.nonce()})
        elif why == "too often":
            self._later(school, Later("too_often", _TOO_OFTEN_S))
        elif why:
            self.ledger.counts.unsigned += 1
            self.ledger.refused(why.replace(" ", "_"), school if self.keys.has(school) else "")
            self._refuse(403, why)
        return not why

    def _done(self, test: str, length: int) -> None:
        done = self._body(length, Done)
        if done is None:
            return
        running = self.ledger.find(test)
        outcome: Ending = "ok" if done.ok else "abandoned"
        record = self.ledger.close(running, outcome) if running else None
        if running is None or record is None:
            self._refuse(404, "the test has ended")
            return
        self._json(200, Seen(
            sent_bytes=record.sent_bytes,
            received_bytes=record.received_bytes,
            solo=record.solo,
            server_limited=running.server_limited,
            down=running.down,
            up=running.up,
            down_frames=running.down_frames,
            up_frames=running.up_frames,
            loss_share=running.loss_share,
            window_share=running.window_share,
        ))  # fmt: skip

    def _send_random(self, running: Running, size: int) -> None:
        self._head(200, size, "image/jpeg")
        self._limit_unsent()
        left, offset = size, int.from_bytes(os.urandom(2)) % 1009
        with running.transfer(self.connection, sends=True):
            while left and not running.closed:
                start = offset % (len(_NOISE) - _CHUNK)
                sent = self.connection.send(_NOISE[start : start + min(left, _CHUNK)])
                running.count_sent(sent)
                left -= sent
                offset += sent
        self.close_connection |= left > 0

    def _limit_unsent(self) -> None:
        """Limit unsent bytes in the kernel, so that few are left when the test ends."""
        if option := getattr(socket, "TCP_NOTSENT_LOWAT", None):
            self.connection.setsockopt(socket.IPPROTO_TCP, option, _CHUNK)

    def _receive_upload(self, running: Running, length: int) -> None:
        if length > _MAX_UPLOAD:
            self._refuse(413, f"more than {_MAX_UPLOAD} bytes")
            return
        left = length
        with running.transfer(self.connection, sends=False):
            while left and not running.closed:
                block = self.rfile.read1(min(left, _CHUNK))
                if not block:
                    break
                running.count_received(len(block))
                left -= len(block)
        if left:
            self.close_connection = True
        else:
            self._reply(200, f"size={length}".encode(), "text/plain")

    def _length(self) -> int | None:
        text = self.headers.get("Content-Length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None

    def _body(self, length: int, kind: type[Any]) -> Any:
        body = self._raw(length)
        return None if body is None else self._read(body, kind)

    def _raw(self, length: int) -> bytes | None:
        if length > MAX_BODY:
            self._refuse(413, f"more than {MAX_BODY} bytes")
            return None
        return self.rfile.read(length)

    def _read(self, body: bytes, kind: type[Any]) -> Any:
        try:
            return decoding.decode(body or b"{}", kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._refuse(400, str(error)[:200])
            return None

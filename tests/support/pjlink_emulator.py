"""A projector that speaks PJLink over real TCP, class 1 or 2, as the protocol's document says.

JBMIA, PJLink 5-1: in standby most questions are answered ERR3; a wrong digest is answered
`PJLINK ERRA`; one connection may ask several questions.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

_SALT = "498e4a67"
_ALWAYS = frozenset({"POWR", "CLSS", "NAME", "INF1", "INF2", "SNUM"})  # answered in standby too


@dataclass
class Projector:
    """What it would say now; tests change it while it runs."""

    level: str = "2"
    password: str = ""
    power: str = "0"
    errors: str = "000000"
    answers: dict[str, str] = field(
        default_factory=lambda: {
            "LAMP": "1287 1", "INPT": "31", "AVMT": "30", "INF1": "EPSON", "INF2": "EB-X06",
            "NAME": "三年级二班", "SNUM": "X4QF0812345", "FILT": "412",
        }
    )  # fmt: skip
    think: Callable[[], object] = lambda: None  # before each answer
    answers_left: int = 1000  # then it hangs up
    chatty: bool = False  # tells of changes unasked, as class 2 may
    garbage: bytes | None = None  # sent in place of the greeting
    hangs_up: bool = False  # after each answer
    digest_each: bool = False  # wants the digest before each command
    refusals: int = 0  # answers ERRA so many times, whatever the password
    silent: bool = False  # greets, and answers nothing
    greeting: bytes | None = None  # in place of the right one
    spoil: Callable[[str, bytes], bytes] = lambda body, line: line  # an answer's bytes, its end too
    asked: list[str] = field(default_factory=list)

    def reply(self, level: str, body: str) -> str:
        """The answer to one question."""
        self.asked.append(body)
        if level > self.level:
            return "ERR1"
        if body == "POWR":
            return self.power
        if body == "CLSS":
            return self.level
        if self.power in ("0", "2") and body not in _ALWAYS:
            return "ERR3"
        if body == "ERST":
            return self.errors
        return self.answers.get(body, "ERR1")


class Emulator:
    """Serves one projector on a port of 127.0.0.1."""

    def __init__(self, projector: Projector) -> None:
        self.projector = projector
        self._server: _Server | None = None
        self._held = contextlib.ExitStack()
        self.port = 0
        self.plug_in()

    def plug_in(self) -> None:
        """Answer; on the same port as before."""
        self._held.close()
        server = _Server(("127.0.0.1", self.port), _Talk)
        server.projector = self.projector
        self.port = server.server_address[1]
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def show(self, projector: Projector) -> None:
        """Be another one from the next connection on."""
        self.projector = projector
        if self._server is not None:
            self._server.projector = projector

    def unplug(self) -> None:
        """Be silent: nobody accepts, nobody refuses, as where no host is."""
        self._stop()
        self._held = contextlib.ExitStack()
        deaf = self._held.enter_context(contextlib.closing(socket.socket()))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        deaf.bind(("127.0.0.1", self.port))
        _deafen(deaf, self._held)

    def close(self) -> None:
        """Off for good; the port refuses."""
        self._stop()
        self._held.close()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@contextlib.contextmanager
def silent_host() -> Iterator[str]:
    """An address of this machine that answers nothing on the ports that devices have."""
    host = f"127.{64 + (os.getpid() >> 16)}.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
    with contextlib.ExitStack() as held:
        for port in (80, 9100, 161, 4352):
            deaf = held.enter_context(contextlib.closing(socket.socket()))
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            deaf.bind((host, port))
            _deafen(deaf, held)
        yield host


def _deafen(deaf: socket.socket, held: contextlib.ExitStack) -> None:
    """Fill its queue: what comes after is dropped, as where no host is."""
    deaf.listen(0)
    for _ in range(2):
        filler = held.enter_context(contextlib.closing(socket.socket()))
        filler.setblocking(False)
        filler.connect_ex(deaf.getsockname())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    projector: Projector


class _Talk(socketserver.StreamRequestHandler):
    _wanted = ""  # the digest that must precede the next command

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # who asks may hang up at any moment
            self._talk()

    def _talk(self) -> None:
        server: Any = self.server
        projector: Projector = server.projector
        if projector.garbage is not None:
            self.wfile.write(projector.garbage)
            return
        secret = projector.password
        greeting = projector.greeting
        self.wfile.write(self._greeting(secret) if greeting is None else greeting)
        digest = hashlib.md5(f"{_SALT}{secret}".encode()).hexdigest() if secret else ""
        self._wanted = digest
        buffer = b""
        while chunk := self.request.recv(256):
            buffer += chunk
            while b"\r" in buffer:
                line, _, buffer = buffer.partition(b"\r")
                if not self._command(projector, line.decode(), digest):
                    return

    def _greeting(self, secret: str) -> bytes:
        return f"PJLINK 1 {_SALT}\r".encode() if secret else b"PJLINK 0\r"

    def _command(self, projector: Projector, text: str, digest: str) -> bool:
        """Answer; False to hang up."""
        if projector.refusals > 0 or not text.startswith(self._wanted):
            projector.refusals -= 1
            self._say("PJLINK ERRA")
            return False
        text = text.removeprefix(digest)
        self._wanted = digest if projector.digest_each else ""
        projector.think()
        if projector.answers_left <= 0:
            return False
        projector.answers_left -= 1
        if not projector.silent:
            self._answer(projector, text)
        return not projector.hangs_up

    def _answer(self, projector: Projector, text: str) -> None:
        level, body = text[1], text[2:6]
        if projector.chatty:
            self._say("%2LKUP=001122334455")
        said = projector.reply(level, body)
        line = f"%{level if said != 'ERR1' else '1'}{body}={said}\r".encode()
        self.wfile.write(projector.spoil(body, line))

    def _say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r")

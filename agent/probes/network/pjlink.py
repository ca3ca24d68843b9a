"""PJLink client for projectors and panels, class 1 and 2 (JBMIA, PJLink 5-1, 2017).

Why not a library: the resident agent has 3 MB for all its equipment probes. aiopjlink 1.0.5
(2022), the best maintained one, costs 5.8 MB on import (asyncio), and fails on the first answer
that deviates from the standard: a class 1 reply to a class 2 query, a name in GBK. pypjlink2
1.2.2 (2020) costs little, but lacks class 2, uses asserts for unexpected answers, and reads byte
by byte until the expected one arrives. Neither distinguishes what a monitor must: a wrong
password, an unexpected answer, a projector in standby, and no answer.

OSError                 no answer: refused, unreachable, timed out
PjlinkError
├── PasswordError       it refuses the password
│   └── NoPasswordError it requires one, and none is set
└── GarbledError        it answers, but not PJLink
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import time
from typing import NamedTuple, Self

PORT = 4352
_LONGEST = 256  # bytes of an answer; the protocol allows 136
_PATIENCE = 3
_GREETING = re.compile(r"PJLINK (?:(0)|1 ([0-9a-zA-Z]{1,32}))", re.IGNORECASE)
_ANSWER = re.compile(r"%([12])([A-Z0-9]{4})=(.*)", re.IGNORECASE | re.DOTALL)
_PARTS = ("fan", "lamp", "temperature", "cover", "filter", "other")
_INPUTS = {
    "1": "RGB", "2": "video", "3": "digital", "4": "storage", "5": "network", "6": "internal",
}  # fmt: skip
_MUTED = frozenset({"11", "21", "31"})


class PjlinkError(Exception):
    """The device is there, but cannot be queried."""


class PasswordError(PjlinkError):
    """It refuses the password."""


class NoPasswordError(PasswordError):
    """It requires a password, and none is set."""


class GarbledError(PjlinkError):
    """It answers, but not PJLink."""


class Facts(NamedTuple):
    """The answers of a projector; empty or None where it gave none."""

    power: str = ""  # 0 off, 1 on, 2 cooling, 3 warming up, ERR3 or ERR4
    errors: str = ""  # six digits, for `_PARTS`: 0 well, 1 warning, 2 error
    lamps: str = ""  # hours and lit (0, 1) of each lamp
    input: str = ""
    mute: str = ""
    filter: str = ""
    maker: str = ""
    model: str = ""
    name: str = ""
    serial: str = ""

    @property
    def faults(self) -> tuple[str, ...]:
        """The parts that report an error, not those that warn."""
        states = zip(_PARTS, self.errors, strict=False)
        broken = tuple(part for part, state in states if state == "2")
        return (*broken, "failure") if self.power == "ERR4" else broken

    @property
    def warnings(self) -> tuple[str, ...]:
        """The parts that report a warning."""
        return tuple(p for p, state in zip(_PARTS, self.errors, strict=False) if state == "1")

    @property
    def lamp_hours(self) -> int | None:
        """The hours of the lamp with the most hours."""
        hours = [int(word) for word in self.lamps.split()[::2] if word.isdecimal()]
        return max(hours, default=None)

    @property
    def filter_hours(self) -> int | None:
        """The hours since the filter was cleaned; class 2."""
        return int(self.filter) if self.filter.isdecimal() else None

    @property
    def source(self) -> str:
        """The input shown, such as `digital 1`."""
        kind = _INPUTS.get(self.input[:1], "")
        return f"{kind} {self.input[1:2]}".strip() if kind else ""

    @property
    def muted(self) -> bool | None:
        """Whether the picture or the sound is off."""
        return None if not re.fullmatch("[123][01]", self.mute) else self.mute in _MUTED


def ask(host: str, port: int = PORT, password: str = "", timeout: float = 3.0) -> Facts:
    """Query all facts over one connection; the power must be answered within `timeout` s.

    Facts that the projector does not support (ERR1, ERR2), or not now (ERR3, as in standby), are
    left out, as are those not answered within `_PATIENCE` times `timeout`, or before it closes
    the connection.

    Raises:
        PasswordError, GarbledError, OSError: see the module.
    """
    with _Session(host, port, password, timeout) as session:
        found = {"power": session.get("POWR")}
        session.extend((_PATIENCE - 1) * timeout)
        with contextlib.suppress(OSError):  # the power is known all the same
            for name, body in _CLASS_1.items():
                found[name] = session.get(body)
            if session.get("CLSS") == "2":
                for name, body in _CLASS_2.items():
                    found[name] = session.get(body, "2")
    kept = {n: v for n, v in found.items() if n == "power" or not v.upper().startswith("ERR")}
    return Facts(**kept)


_CLASS_1 = {
    "errors": "ERST", "lamps": "LAMP", "input": "INPT", "mute": "AVMT",
    "maker": "INF1", "model": "INF2", "name": "NAME",
}  # fmt: skip
_CLASS_2 = {"serial": "SNUM", "filter": "FILT"}


class _Session:
    """One connection. Projectors close it after 30 s, and many accept only one at a time."""

    def __init__(self, host: str, port: int, password: str, timeout: float) -> None:
        self._end = time.monotonic() + timeout
        self._rest = b""
        self._socket = socket.create_connection((host, port), timeout)
        try:
            self._prefix = self._authenticate(password)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def extend(self, seconds: float) -> None:
        """Extend the deadline."""
        self._end += seconds

    def get(self, body: str, level: str = "1") -> str:
        """Send one query and return its answer."""
        self._socket.settimeout(self._left())
        self._socket.sendall(self._prefix + f"%{level}{body} ?\r".encode())
        self._prefix = b""
        while True:
            line = self._line()
            if line.upper() == "PJLINK ERRA":
                raise PasswordError("wrong password")
            match = _ANSWER.fullmatch(line)
            if match is None:
                raise GarbledError(line[:60])
            # Class 2 projectors also send notifications, even between query and answer.
            if match[2].upper() == body:
                return match[3].strip()

    def _authenticate(self, password: str) -> bytes:
        """Read the greeting; returns the digest that must precede the first query, or nothing."""
        line = self._line()
        if line.upper() == "PJLINK ERRA":
            raise PasswordError("refused")
        match = _GREETING.fullmatch(line)
        if match is None:
            raise GarbledError(line[:60])
        if match[1]:
            return b""
        if not password:
            raise NoPasswordError("it asks for a password")
        # The digest is prescribed by the protocol; it is weak against eavesdroppers.
        salted = f"{match[2]}{password}".encode()
        return hashlib.md5(salted, usedforsecurity=False).hexdigest().encode()

    def _line(self) -> str:
        while b"\r" not in self._rest:
            if len(self._rest) > _LONGEST:
                raise GarbledError(decoded(self._rest[:60]))
            self._socket.settimeout(self._left())
            more = self._socket.recv(_LONGEST)
            if not more:
                raise ConnectionResetError("it hung up")
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\r")
        return decoded(line.lstrip(b"\n"))

    def _left(self) -> float:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


def decoded(raw: bytes) -> str:
    """Decode UTF-8, as the protocol prescribes, or GBK, as some makers send."""
    for code in ("utf-8", "gbk"):
        try:
            text = raw.decode(code)
        except UnicodeDecodeError:
            continue
        return "".join(char for char in text if char.isprintable())
    return raw.decode("ascii", "replace")

"""PJLink client for projectors and panels, class 1 and 2 (JBMIA, PJLink 5-1, 2017).

Why not a library: the resident agent has 3 MB for all its equipment probes. aiopjlink 1.0.5
(2022), the best maintained one, costs 5.8 MB on import (asyncio), and fails on the first answer
that deviates from the standard: a class 1 reply to a class 2 query, a name in GBK. pypjlink2
1.2.2 (2020) costs little, but lacks class 2, uses asserts for unexpected answers, and reads byte
by byte until the expected one arrives. Neither distinguishes what a monitor must: a wrong
password, an unexpected answer, a projector in standby, and no answer.

Required is the power; every other answer is optional, and what is odd, empty or garbled in it
costs that fact alone. Devices in use drop the "=" before a name, end lines with a line feed, close
after each answer, want the digest with each command, refuse a password once and accept it then,
or answer nothing in standby.

OSError      no connection: refused, unreachable, timed out
PjlinkError  see `pjlink_connection`
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from typing import NamedTuple, Self

from agent.probes.network.pjlink_connection import (
    Connection,
    NoPasswordError,
    PasswordError,
    PjlinkError,
    RefusedError,
    SilentError,
)

PORT = 4352
_PATIENCE = 3
_TRIES = 3  # of one question: a hang-up, a refusal, and the answer
_ANSWER = re.compile(r"%[12]([A-Z0-9]{4})[ =]*(.*)", re.IGNORECASE | re.DOTALL)
_NO_FACT = re.compile(r"ERR[1-4]", re.IGNORECASE)
_POWER = re.compile(r"[0-3](?!\d)|ERR[1-4]", re.IGNORECASE)  # of "10" or "01" nothing is known
_PARTS = ("fan", "lamp", "temperature", "cover", "filter", "other")
_INPUTS = {
    "1": "RGB", "2": "video", "3": "digital", "4": "storage", "5": "network", "6": "internal",
}  # fmt: skip
_MUTED = frozenset({"11", "21", "31"})


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
        broken = self._parts("2")
        return (*broken, "failure") if self.power == "ERR4" else broken

    @property
    def warnings(self) -> tuple[str, ...]:
        """The parts that report a warning."""
        return self._parts("1")

    def _parts(self, state: str) -> tuple[str, ...]:
        if not re.fullmatch("[012]{6}", self.errors):
            return ()
        return tuple(p for p, found in zip(_PARTS, self.errors, strict=True) if found == state)

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
    """Query all facts; the power must be answered within `timeout` s.

    Facts that the projector does not support (ERR1, ERR2), or not now (ERR3, as in standby), are
    left out, as are those not answered within half of `timeout` each, or `_PATIENCE` times
    `timeout` in all.

    Raises:
        PjlinkError, OSError: see the module.
    """
    with _Conversation(host, port, password, timeout) as talk:
        found = {"power": talk.get("POWR", timeout)}
        talk.extend((_PATIENCE - 1) * timeout)
        with contextlib.suppress(OSError, PjlinkError):  # the power is known all the same
            found |= _optional(talk, _CLASS_1, "1", timeout / 2)
            if "2" in _optional(talk, {"class": "CLSS"}, "1", timeout / 2).get("class", ""):
                found |= _optional(talk, _CLASS_2, "2", timeout / 2)
    power = _POWER.match(found["power"])
    found["power"] = power[0].upper() if power else ""
    kept = {n: v for n, v in found.items() if n == "power" or not _NO_FACT.fullmatch(v)}
    return Facts(**kept)


_CLASS_1 = {
    "errors": "ERST", "lamps": "LAMP", "input": "INPT", "mute": "AVMT",
    "maker": "INF1", "model": "INF2", "name": "NAME",
}  # fmt: skip
_CLASS_2 = {"serial": "SNUM", "filter": "FILT"}


def _optional(
    talk: _Conversation, wanted: dict[str, str], level: str, timeout: float
) -> dict[str, str]:
    """The answers by name, without those that stay away."""
    found = {}
    for name, body in wanted.items():
        with contextlib.suppress(SilentError):
            found[name] = talk.get(body, timeout, level)
    return found


class _Conversation:
    """Questions and answers, over as many connections as the projector makes of them.

    Projectors close a connection after 30 s, some after each answer, and many accept only one at
    a time.
    """

    def __init__(self, host: str, port: int, password: str, timeout: float) -> None:
        self._address = host, port
        self._password = password
        self._end = time.monotonic() + timeout
        self._connection: Connection | None = None
        self._digest = b""  # goes before the next command
        self._each = False  # ... and before each one after it
        self._refusals = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._hang_up()

    def extend(self, seconds: float) -> None:
        """Extend the deadline."""
        self._end += seconds

    def get(self, body: str, timeout: float, level: str = "1") -> str:
        """The answer to one query, within `timeout` s.

        Raises:
            SilentError: none came. PasswordError, GarbledError: see the module.
            OSError: it cannot be connected to.
        """
        until = min(self._end, time.monotonic() + timeout)
        for _ in range(_TRIES):
            connection = self._connected(until)
            try:
                return self._ask(connection, body, level, until)
            except TimeoutError as error:
                raise SilentError(body) from error
            except RefusedError as error:
                self._refuse(error)
            except ConnectionError:
                self._hang_up()
        raise SilentError(body)

    def _connected(self, until: float) -> Connection:
        while self._connection is None:
            try:
                self._connection = Connection(*self._address, until)
                self._digest = self._authenticate(self._connection.salt)
            except RefusedError as error:
                self._refuse(error)
        return self._connection

    def _refuse(self, error: RefusedError) -> None:
        """Count it: one may pass, or mean that it wants the digest with each command."""
        self._refusals += 1
        self._hang_up()
        if self._refusals > 1:
            raise PasswordError("wrong password") from error
        self._each = True

    def _ask(self, connection: Connection, body: str, level: str, until: float) -> str:
        connection.send(self._digest + f"%{level}{body} ?\r".encode(), until)
        while True:
            match = _ANSWER.search(connection.line(until))
            # Class 2 projectors also send notifications, even between query and answer; some
            # repeat the query first.
            if match and match[1].upper() == body and not match[2].startswith("?"):
                break
        self._refusals = 0
        if not self._each:
            self._digest = b""
        return match[2].strip()

    def _authenticate(self, salt: str) -> bytes:
        """The digest that must precede a query, or nothing."""
        if not salt:
            return b""
        if not self._password:
            raise NoPasswordError("it asks for a password")
        # The digest is prescribed by the protocol; it is weak against eavesdroppers.
        salted = f"{salt}{self._password}".encode()
        return hashlib.md5(salted, usedforsecurity=False).hexdigest().encode()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

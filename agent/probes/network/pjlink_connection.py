"""One connection to a PJLink device: its greeting, and lines both ways.

PjlinkError
├── PasswordError       it refuses the password, twice
│   └── NoPasswordError it requires one, and none is set
├── SilentError         it is there, and does not answer
└── GarbledError        it answers, but not PJLink
"""

from __future__ import annotations

import re
import socket
import time

from agent.probes import device_text

_LONGEST = 256  # bytes of a line; the protocol allows 136
_NOISE = 3  # lines before the greeting
_GREETING = re.compile(r"PJLINK[ =]*(?:0|1[ =]*([0-9a-zA-Z]{1,32}))", re.IGNORECASE)
_REFUSAL = re.compile(r"PJLINK[ =]*ERRA", re.IGNORECASE)
_END = re.compile(rb"[\r\n]")
_DIRT = bytes([*range(0x21), *range(0x7F, 0x100)])  # a line begins with a letter or %


class PjlinkError(Exception):
    """The device is there, but cannot be queried."""


class PasswordError(PjlinkError):
    """It refuses the password."""


class NoPasswordError(PasswordError):
    """It requires a password, and none is set."""


class SilentError(PjlinkError):
    """It is there, and does not answer, as some do in standby."""


class GarbledError(PjlinkError):
    """It answers, but not PJLink."""


class RefusedError(Exception):
    """It answered ERRA, once."""


class Connection:
    """Open, and greeted. Every wait ends at the deadline, in seconds of `time.monotonic`.

    Attributes:
        salt: What the digest is made with; empty where it asks for no password.

    Raises:
        OSError: no connection. SilentError: no greeting. GarbledError: another greeting.
        RefusedError: refused in place of the greeting.
    """

    def __init__(self, host: str, port: int, deadline: float) -> None:
        self._rest = b""
        self._socket = socket.create_connection((host, port), _left(deadline))
        try:
            self.salt = self._greeting(deadline)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, text: bytes, deadline: float) -> None:
        """Send; raises OSError where it has hung up."""
        self._socket.settimeout(_left(deadline))
        self._socket.sendall(text)

    def line(self, deadline: float) -> str:
        """The next line that is not empty, also where only the closing ends it.

        Raises:
            RefusedError: it is a refusal. TimeoutError: none. ConnectionError: it has hung up.
        """
        while True:
            line = device_text.decoded(self._raw_line(deadline).lstrip(_DIRT))[0]
            if _REFUSAL.search(line):
                raise RefusedError
            if line:
                return line

    def _greeting(self, deadline: float) -> str:
        lines = []
        try:
            for _ in range(_NOISE):
                lines.append(self.line(deadline))
                if match := _GREETING.search(lines[-1]):
                    return match[1] or ""
        except (TimeoutError, ConnectionError) as error:
            if not lines and not self._rest:
                raise SilentError("no greeting") from error
        raise GarbledError(" ".join(lines)[:60] or device_text.decoded(self._rest)[0][:60])

    def _raw_line(self, deadline: float) -> bytes:
        while not (end := _END.search(self._rest)):
            self._rest = self._rest[-_LONGEST:]
            self._socket.settimeout(_left(deadline))
            more = self._socket.recv(_LONGEST)
            if not more:
                return self._last_line()
            self._rest += more
        line, self._rest = self._rest[: end.start()], self._rest[end.end() :]
        return line

    def _last_line(self) -> bytes:
        line, self._rest = self._rest, b""
        if not line:
            raise ConnectionResetError("it hung up")
        return line


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left

"""A key per school: with it, agents may test that school's lines and no others.

Keys are files `<school>.key` in one folder, read on each use: a key that is added, changed or
removed takes effect at once. While a key is being replaced the former one, `<school>.previous.key`,
is accepted too; alone it is worth nothing. Without a folder no key is required.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from agent.common import log, ownership, signing, textfile
from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.lineserver.addresses import Rates

#: How long a nonce is valid, s; it can be used once.
_NONCE_S = 60.0
#: Signed requests of one key: a second, and at once. A school's PCs ask a few times a test.
_PER_SECOND, _BURST = 5.0, 100.0
_NONCE = re.compile(r"([0-9a-f]{16})-([0-9]{1,12})-([0-9a-f]{32})", re.ASCII)
_SCHOOL = re.compile("[0-9]{10}", re.ASCII)


class Request(NamedTuple):
    """A request: the signed parts, and its Authorization header."""

    method: str
    path: str
    body: bytes
    authorization: str


class Keys:
    """Checks signatures of requests. Safe to use from several threads."""

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._secret = secrets.token_hex(32)  # drawn at each start: earlier nonces become invalid
        self._used: set[str] = set()
        self._order: deque[tuple[float, str]] = deque()  # of `_used`, by time of use
        self._unreadable: set[str] = set()  # names of files
        self._rates = Rates(_PER_SECOND, _BURST)
        self._lock = threading.Lock()

    @property
    def required(self) -> bool:
        """Whether a request must be signed."""
        return self._folder is not None

    def nonce(self) -> str:
        """A new nonce; the server keeps nothing about it until it is used."""
        text = f"{secrets.token_hex(8)}-{int(self._clock())}"
        return f"{text}-{self._seal(text)}"

    def refuse(self, school: str, request: Request) -> str:
        """Why the request is not validly signed with this school's key; empty if it is."""
        if self._folder is None:
            return ""
        scheme, _, rest = request.authorization.partition(" ")
        parts = rest.split(":")
        if scheme != signing.SCHEME or len(parts) != 3:
            return "not signed"
        signed_for, nonce, mac = parts
        if signed_for != school:
            return "signed for another school"
        keys = self._keys(school)
        if not keys:
            return "no key of this school"
        signed = (request.method, request.path, nonce, request.body)
        if not any(_is(mac, signing.mac(key, *signed)) for key in keys):
            return "wrong key"
        with self._lock:  # counted once it is known to be the school's own
            if not self._rates.take(school, self._clock()):
                return "too often"
        return "" if self._fresh(nonce) else "stale nonce"

    def has(self, school: str) -> bool:
        """Whether the school may ask: it has a key, or none is required."""
        return self._folder is None or bool(self._keys(school))

    def _keys(self, school: str) -> list[str]:
        """The school's key, and the former one while it is accepted; empty where it has none."""
        key = self._key(school, f"{school}.key")
        former = self._key(school, f"{school}.previous.key") if key else None
        return [one for one in (key, former) if one]

    def _key(self, school: str, name: str) -> str | None:
        if self._folder is None or not _SCHOOL.fullmatch(school):
            return None
        try:
            key = textfile.secret(self._folder / name)
        except FileNotFoundError:
            return None
        except (OSError, textfile.TextFileError) as error:
            if name not in self._unreadable:  # once: anybody can ask in a school's name
                log.warning("key_unreadable", school=school, reason=error)
            self._unreadable.add(name)
            return None
        self._unreadable.discard(name)
        return key if len(key) >= signing.MIN_KEY else None

    def _fresh(self, nonce: str) -> bool:
        """Whether the nonce is from this server, recent, and not used before."""
        match = _NONCE.fullmatch(nonce)
        now = self._clock()
        if match is None or not hmac.compare_digest(self._seal(f"{match[1]}-{match[2]}"), match[3]):
            return False
        if now - int(match[2]) > _NONCE_S:
            return False
        with self._lock:
            if nonce in self._used:
                return False
            while self._order and now - self._order[0][0] > _NONCE_S:
                self._used.discard(self._order.popleft()[1])
            self._used.add(nonce)
            self._order.append((now, nonce))
        return True

    def _seal(self, text: str) -> str:
        return signing.mac(self._secret, "nonce", text, "", b"")[:32]


def _is(mac: str, wanted: str) -> bool:
    return hmac.compare_digest(wanted.encode(), mac.encode())


def make(folder: Path, school: str) -> Path:
    """Draw a key for a school and store it in the folder; returns the file, for the school's PCs.

    Raises:
        RefusedError: not a school code, a key exists already, or the folder cannot be written.
    """
    if not _SCHOOL.fullmatch(school):
        raise RefusedError(say(f"{school!r} 不是 10 位学校标识码", f"{school!r} is not 10 digits"))
    path = folder / f"{school}.key"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o2750)
        with ownership.held(folder) as found:
            handle = os.open(found / path.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
            ownership.hand_over(handle, found)
    except FileExistsError as error:
        raise RefusedError(
            say(f"{path} 已有密钥；要更换就先删掉它", f"{path} exists; remove it to replace it")
        ) from error
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}") from error
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    return path

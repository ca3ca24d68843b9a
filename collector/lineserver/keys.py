"""A key per school: with it, agents may test that school's lines and no others.

Keys are files `<school>.key` in one folder, read on each use: a key that is added, changed or
removed takes effect at once. Without a folder no key is required.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from agent.common import log, signing, textfile
from agent.common.command_line import RefusedError
from agent.common.language import say

#: How long a nonce is valid, s; it can be used once.
_NONCE_S = 60.0
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
        self._used: dict[str, float] = {}
        self._lock = threading.Lock()

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
        key = self._key(school)
        if key is None:
            return "no key of this school"
        wanted = signing.mac(key, request.method, request.path, nonce, request.body)
        if not hmac.compare_digest(wanted.encode(), mac.encode()):
            return "wrong key"
        return "" if self._fresh(nonce) else "stale nonce"

    def _key(self, school: str) -> str | None:
        if self._folder is None or not _SCHOOL.fullmatch(school):
            return None
        try:
            key = textfile.secret(self._folder / f"{school}.key")
        except FileNotFoundError:
            return None
        except (OSError, textfile.TextFileError) as error:
            log.warning("key_unreadable", school=school, reason=error)
            return None
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
            self._used = {one: t for one, t in self._used.items() if now - t <= _NONCE_S}
            self._used[nonce] = now
        return True

    def _seal(self, text: str) -> str:
        return signing.mac(self._secret, "nonce", text, "", b"")[:32]


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
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    except FileExistsError as error:
        raise RefusedError(
            say(f"{path} 已有密钥；要更换就先删掉它", f"{path} exists; remove it to replace it")
        ) from error
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}") from error
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    return path

"""Who is logged in, by a signed cookie; and how often somebody may try."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from agent.common.files import replace
from collector.web.passwords import User

COOKIE = "schoolpulse_session"
SECONDS = 12 * 3600
_KEY_FILE = "web.key"
_FREE = 5  # attempts before the first wait
_LONGEST_S = 300.0
_ADDRESSES = 10_000


def signing_key(folder: Path) -> bytes:
    """The key of the folder; drawn at first use, readable by its owner alone.

    Raises:
        OSError: it can be neither read nor written.
    """
    path = folder / _KEY_FILE
    if path.exists() and len(found := path.read_bytes()) == 32:
        return found
    drawn = os.urandom(32)
    folder.mkdir(parents=True, exist_ok=True)
    replace(path, drawn, mode=0o600)
    return drawn


class Sessions:
    """Cookies: `name|until` and their signature. A changed password ends its sessions."""

    def __init__(self, key: bytes, clock: Callable[[], float] = time.time) -> None:
        self._key, self._clock = key, clock

    def begin(self, user: User) -> str:
        """The cookie of a user who has just logged in."""
        body = f"{user.name}|{int(self._clock()) + SECONDS}"
        text = f"{body}|{self._signature(body, user)}"
        return base64.urlsafe_b64encode(text.encode()).decode()

    def user(self, cookie: str, users: dict[str, User]) -> User | None:
        """Who it is of; None where it is none of ours, or over."""
        try:
            text = base64.urlsafe_b64decode(cookie.encode("ascii")).decode("ascii")
            name, until, signature = text.split("|")
            over = int(until) < self._clock()
        except (ValueError, UnicodeError, binascii.Error):
            return None
        user = users.get(name)
        if user is None or over:
            return None
        right = hmac.compare_digest(signature, self._signature(f"{name}|{until}", user))
        return user if right else None

    def _signature(self, body: str, user: User) -> str:
        bound = hashlib.sha256(":".join(user).encode()).hexdigest()
        return hmac.digest(self._key, f"{body}|{bound}".encode(), "sha256").hex()


class Throttle:
    """After some wrong passwords each further one costs twice the wait, up to five minutes.

    Counted by address and, against many addresses, by the user's name.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, *keys: str) -> float:
        """Seconds until the next attempt is looked at; 0: now."""
        with self._lock:
            return max((self._left(key) for key in keys), default=0.0)

    def _left(self, key: str) -> float:
        count, last = self._failed.get(key, (0, 0.0))
        if count < _FREE:
            return 0.0
        pause = min(_LONGEST_S, 2.0 ** min(count - _FREE, 16))
        return max(0.0, last + pause - self._clock())

    def failed(self, *keys: str) -> None:
        """Count a wrong password."""
        with self._lock:
            for key in keys:
                count, _ = self._failed.pop(key, (0, 0.0))
                self._failed[key] = (count + 1, self._clock())
            while len(self._failed) > _ADDRESSES:
                self._failed.popitem(last=False)

    def passed(self, *keys: str) -> None:
        """Forget them."""
        with self._lock:
            for key in keys:
                self._failed.pop(key, None)

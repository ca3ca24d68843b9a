"""After a restore: since when receipted evidence is requested again, kept for a week.

Every receipt of that week carries the request, since PCs are off for days; an agent answers it
once. Agents keep receipted evidence for seven days, so nothing older can come back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from agent.common import decoding, log, ownership
from agent.common.files import replace

FILE = "again.json"
_WEEK_MS = 7 * 86_400_000
_READ_EVERY_S = 1.0
DAMAGED = (msgspec.MsgspecError, UnicodeDecodeError)
#: Replaces a file that cannot be read.
FIX = "schoolpulse ask-again --since SINCE"


class _Asked(msgspec.Struct):
    since: int  # ms since 1970 UTC
    at: int


def ask(folder: Path, since_ms: int, now_ms: int) -> None:
    """Request all evidence since `since_ms`, for a week from now. Raises OSError.

    The last three digits distinguish requests: an agent answers each once.
    """
    earlier = since_ms - since_ms % 1000 - 1000  # they must not cut off a part of the second
    unique = earlier + now_ms % 1000
    ownership.make_folder(folder)
    replace(folder / FILE, msgspec.json.encode(_Asked(unique, now_ms)))


class ResendRequest:
    """What the receipts request; read from the file once a second at most."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._path, self._now = folder / FILE, now
        self._asked: _Asked | None = None
        self._fault = ""
        self._read_at = -_READ_EVERY_S

    @property
    def since(self) -> int | None:
        """Ms since 1970 UTC; None where nothing is requested, or no longer."""
        if time.monotonic() - self._read_at >= _READ_EVERY_S:
            self._read_at = time.monotonic()
            self._read()
        asked = self._asked  # another thread may read the file
        if asked is None or self._now() * 1000 - asked.at > _WEEK_MS:
            return None
        return asked.since

    def _read(self) -> None:
        """While the file cannot be read, the request before stands; the fault is logged once."""
        try:
            self._asked, fault = read(self._path), ""
        except (OSError, *DAMAGED) as error:
            fault = str(error)
            if fault != self._fault:
                log.warning("resend_request_unreadable", file=self._path, reason=error, fix=FIX)
        self._fault = fault


def read(path: Path) -> _Asked | None:
    """The request; None where there is none.

    Raises:
        OSError, DAMAGED: the file cannot be read, or is damaged.
    """
    try:
        return decoding.decode(path.read_bytes(), _Asked)
    except FileNotFoundError:
        return None

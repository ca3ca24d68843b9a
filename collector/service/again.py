"""After a restore: since when receipted evidence is asked for again, remembered for a week.

Every receipt of that week says it, for PCs are off for days; an agent gives again once. Agents
keep receipted evidence for seven days, so nothing older can come back.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

FILE = "again.json"
_WEEK_MS = 7 * 86_400_000
_READ_EVERY_S = 1.0


class _Asked(msgspec.Struct):
    since: int  # ms since 1970 UTC
    at: int


def ask(folder: Path, since_ms: int, now_ms: int) -> None:
    """Ask for all evidence since `since_ms`, from now on for a week. Raises OSError.

    The last three digits tell one asking from another: an agent answers each once.
    """
    earlier = since_ms - since_ms % 1000 - 1000  # a mark must not cut off the second it is in
    unique = earlier + now_ms % 1000
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{FILE}.new"
    fresh.write_bytes(msgspec.json.encode(_Asked(unique, now_ms)))
    fresh.replace(folder / FILE)


class Again:
    """What the receipts ask for; read from the file again now and then."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._path, self._now = folder / FILE, now
        self._asked: _Asked | None = None
        self._read_at = -_READ_EVERY_S

    @property
    def since(self) -> int | None:
        """Ms since 1970 UTC; None where nothing is asked for, or no more."""
        if time.monotonic() - self._read_at >= _READ_EVERY_S:
            self._read_at = time.monotonic()
            self._read()
        if self._asked is None or self._now() * 1000 - self._asked.at > _WEEK_MS:
            return None
        return self._asked.since

    def _read(self) -> None:
        # A file that cannot be read for a moment asks for what it asked before.
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            self._asked = None if not self._path.exists() else self._decoded()

    def _decoded(self) -> _Asked:
        return msgspec.json.decode(self._path.read_bytes(), type=_Asked)

"""One agent per data folder: two would send each other's reports."""

from __future__ import annotations

import os
import sys
from pathlib import Path


class HeldError(Exception):
    """Another process holds the lock."""


class Lock:
    """Held from `__init__` until `release` or the end of the process, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            HeldError: another process has it.
            OSError: the file cannot be made.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _take(self._file)
        except OSError as error:
            os.close(self._file)
            raise HeldError(str(path)) from error

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._file)


if sys.platform == "win32":

    def _take(file: int) -> None:
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:

    def _take(file: int) -> None:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

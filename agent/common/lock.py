"""One agent per data folder: two would send each other's reports."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from agent.common.command_line import RefusedError
from agent.common.language import say


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


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the data folder, so that no agent runs on it.

    Raises:
        RefusedError: one does, or the folder cannot be written; the message says which.
    """
    try:
        lock = Lock(folder / "agent.lock")
    except HeldError as error:
        raise RefusedError(
            say(
                f"{folder} 里已有一个采集程序在运行；先停掉它，或另设 data",
                f"an agent runs on {folder} already; stop it, or set another data folder",
            )
        ) from error
    except OSError as error:
        raise cannot_start(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def cannot_start(folder: Path, error: Exception) -> RefusedError:
    """Why no agent can run on the folder."""
    return RefusedError(
        say(
            f"无法启动（数据目录 {folder}）：{error}；运行 doctor 查看办法",
            f"cannot start (data folder {folder}): {error}; run doctor for the mend",
        )
    )


if sys.platform == "win32":

    def _take(file: int) -> None:
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:

    def _take(file: int) -> None:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

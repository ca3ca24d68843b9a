"""One program a folder: two agents would send each other's reports, two collectors write twice.

The lock is the system's, on a file of its own, so it ends with its process, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from agent.common import ownership
from agent.common.command_line import RefusedError
from agent.common.language import say


class HeldError(RefusedError):
    """Another process holds the lock; the message names the folder, the program and the fix."""


class Lock:
    """Held from `__init__` until `release` or the end of the process."""

    def __init__(self, path: Path, program: str) -> None:
        """Take the lock; `program` is what holds it elsewhere, in the user's words.

        Raises:
            HeldError: another process has it.
            OSError: the file cannot be made or locked: no room, no right, no such file system.
        """
        ownership.make_folder(path.parent)
        ownership.new_file(path)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            taken = _take(self._file)
        except OSError:
            os.close(self._file)
            raise
        if not taken:
            os.close(self._file)
            raise HeldError(
                say(
                    f"{path.parent} 里已有一个{program}在运行；先停掉它，或另设 data",
                    f"another {program} runs on {path.parent}; stop it, or set another data folder",
                )
            )

    def release(self) -> None:
        """Release the lock."""
        os.close(self._file)


def is_held(path: Path) -> bool:
    """Whether a process holds the lock now; one of another user's counts as held.

    Raises:
        OSError: that cannot be found out.
    """
    if not path.exists():
        return False
    try:
        Lock(path, "").release()
    except (HeldError, PermissionError):
        return True
    return False


@contextlib.contextmanager
def agent_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of an agent's data folder during the block, so that no other agent runs on it.

    Raises:
        RefusedError: another agent runs on it, or the folder cannot be written.
    """
    try:
        lock = Lock(folder / "agent.lock", say("代理", "agent"))
    except OSError as error:
        raise cannot_start(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def cannot_start(folder: Path, error: Exception) -> RefusedError:
    """The error to show where no agent can run on the folder."""
    return RefusedError(
        say(
            f"无法启动（数据目录 {folder}）：{error}；运行 doctor 查看办法",
            f"cannot start (data folder {folder}): {error}; run doctor for the fix",
        )
    )


if sys.platform == "win32":

    def _take(file: int) -> bool:
        """As below. A range that is locked is EACCES on Windows, and 0 on Wine."""
        import errno
        import msvcrt

        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EBADF, errno.EINVAL):
                raise
            return False
        return True

else:

    def _take(file: int) -> bool:
        """False where another process has it; every other failure is an OSError."""
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

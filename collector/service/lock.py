"""One collector on a SQLite file: a lock that a killed process cannot leave behind."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from agent.common.command_line import RefusedError
from agent.common.language import say


class FileLock:
    """An exclusive SQLite transaction on a file of its own, held until `release`.

    SQLite's locks are the system's: they end with the process, on Linux and on Windows.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            RefusedError: another process has it.
            OSError, sqlite3.Error: there is no room, or no right, to make the file.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._db.close()
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            raise RefusedError(
                say(
                    f"{path.parent}: 已有一个采集服务在用这个数据目录。先停掉它，或换一个 data",
                    f"{path.parent}: another collector uses this data folder; stop it first,"
                    " or set another `data`",
                )
            ) from error

    def release(self) -> None:
        """Let another have it."""
        self._db.close()

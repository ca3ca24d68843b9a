"""What to do about a file or folder that cannot be used, by what the system said."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

from agent.common.language import say
from collector.commands.tables import this_user

_FULL = {errno.ENOSPC, errno.EDQUOT}
_RIGHTS = {errno.EACCES, errno.EPERM, errno.EROFS}


def fix_of(error: BaseException, path: Path) -> str:
    """The fix for an error of SQLite or the system, or one that was raised from it; else empty."""
    for cause in causes(error):
        if isinstance(cause, sqlite3.Error):
            return _of_sqlite(getattr(cause, "sqlite_errorname", ""), path)
        if isinstance(cause, OSError) and cause.errno in _FULL:
            return full(path)
        if isinstance(cause, OSError) and cause.errno in _RIGHTS:
            return rights(path)
    return ""


def causes(error: BaseException) -> list[BaseException]:
    """The error, what it was raised from, and so on."""
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__
    return found


def _of_sqlite(name: str, path: Path) -> str:
    # A write-ahead log that finds no room is reported as an I/O error.
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return full(path)
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")):
        return rights(path)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return say("稍后再试", "try again in a while")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return say("从备份恢复；没有备份就移开它", "restore a backup; without one, move it away")
    return ""


def full(path: Path) -> str:
    """No room is left: the files themselves are well."""
    return say(
        f"腾出 {path.parent} 所在磁盘的空间，文件不要动：空间有了就继续",
        f"free room on the disk of {path.parent}, and leave the files alone: it goes on then",
    )


def rights(path: Path) -> str:
    """This user may not, where others may: who this is, whose the file is, and what to run."""
    user, owner = this_user(), _owner(path)
    return say(
        f"{user} 无权读写 {path}（属于 {owner}）：用 {owner} 或 root 运行，或 chown {user} {path}",
        f"{user} may not read and write {path}, which is {owner}'s: run this as {owner} or root, "
        f"or chown {user} {path}",
    )


def _owner(path: Path) -> str:
    for at in (path, *path.parents):
        try:
            return at.owner()
        except KeyError:
            return f"uid {at.stat().st_uid}"
        except OSError:
            continue
    return "?"

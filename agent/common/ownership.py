"""Files that root makes in a service's folder belong to the service, which could not write them.

A folder's owner says whose its files are. Handed over is only what we hold open and have made
ourselves: whoever owns the folder may put a link in the place of any name.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path


def hand_over(descriptor: int, folder: Path) -> None:
    """Give an open file that root has made to the owner of its folder. Raises OSError."""
    if not is_root():
        return
    wanted = folder.stat()
    if wanted.st_uid:
        os.fchown(descriptor, wanted.st_uid, wanted.st_gid)


def new_file(path: Path) -> None:
    """Make an empty file for the folder's owner; nothing where something is. Raises OSError.

    Only root needs it: for everybody else whoever opens the file makes it.
    """
    if not is_root():
        return
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            hand_over(handle, path.parent)
        finally:
            os.close(handle)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, each for the owner of the one above. Raises OSError."""
    if not is_root():
        path.mkdir(parents=True, exist_ok=True)
        return
    for folder in reversed([at for at in (path, *path.parents) if not at.exists()]):
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                hand_over(handle, folder.parent)
            finally:
                os.close(handle)
    path.mkdir(exist_ok=True)  # says so where a file stands there


def set_rights(path: Path, account: tuple[int, int] | None, mode: int) -> bool:
    """Set owner and group, unless None, and mode where they differ; whether they did. On Linux.

    -1 for one of the two leaves it as it is.

    Raises:
        OSError: they cannot be set, or a link stands there that another than root or we made.
    """
    handle = _found(path)
    try:
        found, at = os.fstat(handle), f"/proc/self/fd/{handle}"
        user, group = account or (-1, -1)
        given = user not in (-1, found.st_uid) or group not in (-1, found.st_gid)
        if given:
            os.chown(at, user, group)
        moded = os.fstat(handle).st_mode & 0o7777 != mode  # last: a change of owner clears bits
        if moded:
            os.chmod(at, mode)
        return given or moded
    finally:
        os.close(handle)


def _found(path: Path, links: int = 8) -> int:
    """What is at the path now: whoever owns the folder may put something else there meanwhile.

    Links that root or we have made are followed, so many in a row. It is not opened for reading:
    to close a database's file would drop the locks on it.
    """
    handle = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    found = os.fstat(handle)
    if not stat.S_ISLNK(found.st_mode):
        return handle
    try:
        if not links or found.st_uid not in (0, os.geteuid()):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        return _found(path.parent / os.readlink("", dir_fd=handle), links - 1)
    finally:
        os.close(handle)


def is_root() -> bool:
    """Whether this process may give files away; never on Windows."""
    return os.name == "posix" and os.geteuid() == 0

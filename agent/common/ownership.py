"""Files that root makes in a service's folder belong to the service, which could not write them.

A folder's owner says whose its files are. Handed over is only what we hold open and have made
ourselves: whoever owns the folder may put a link in the place of any name.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.common.language import say

_BY_HANDLE = Path("/proc/self/fd")
_LINKS = 40  # in one path, as the kernel allows
_LOOK_AT = getattr(os, "O_PATH", 0) | getattr(os, "O_CLOEXEC", 0)
_LOOK = _LOOK_AT | getattr(os, "O_NOFOLLOW", 0)


def hand_over(descriptor: int, folder: Path) -> None:
    """Give an open file that root has made to the owner of its folder. Raises OSError."""
    if not is_root():
        return
    wanted = folder.stat()
    if wanted.st_uid:
        os.fchown(descriptor, wanted.st_uid, wanted.st_gid)


def new_file(path: Path) -> None:
    """Make an empty file for the folder's owner; nothing where something is.

    Only root needs it: for everybody else whoever opens the file makes it.

    Raises:
        OSError: it cannot be made, or a link stands there that another than root or we made.
    """
    if not is_root():
        return
    with contextlib.suppress(FileExistsError), held(path.parent) as folder:
        handle = os.open(folder / path.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            hand_over(handle, folder)
        finally:
            os.close(handle)
    with contextlib.suppress(FileNotFoundError):  # a link of ours to what is not there yet
        refuse_link(path)


def refuse_link(path: Path) -> None:
    """Whoever reads or writes as root what lies in a service's folder is not to be led elsewhere.

    Raises:
        OSError: nothing is there, or a link on the way that another than root or we made.
    """
    if is_root():
        os.close(_found(path))


def make_folder(path: Path) -> None:
    """Make a folder and those above it, each for the owner of the one above. Raises OSError."""
    if not is_root():
        path.mkdir(parents=True, exist_ok=True)
        return
    for missing in reversed([at for at in (path, *path.parents) if not at.exists()]):
        with contextlib.suppress(FileExistsError), held(missing.parent) as above:
            made = above / missing.name
            made.mkdir()
            handle = os.open(made, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                hand_over(handle, above)
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


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """A folder by a name that stays its own while it is open, for root; else its own path.

    Whoever owns one of the folders above may put a link in its place at any moment.

    Raises:
        OSError: it is not there, or a link on the way was made by another than root or us.
    """
    if not is_root() or not _BY_HANDLE.is_dir():
        yield folder
        return
    handle = _found(folder)
    try:
        yield _BY_HANDLE / str(handle)
    except OSError as error:
        error.filename = _named(error.filename, handle, folder)
        if error.filename2 is not None:  # once set, it is printed
            error.filename2 = _named(error.filename2, handle, folder)
        raise
    finally:
        os.close(handle)


def _named(name: object, handle: int, folder: Path) -> object:
    """What an error names, by the folder's own path."""
    within = f"{_BY_HANDLE}/{handle}/"
    return str(folder / str(name).removeprefix(within)) if str(name).startswith(within) else name


def _found(path: Path) -> int:
    """What is at the path now: whoever owns a folder may put something else there meanwhile.

    Links that root or we have made are followed. It is not opened for reading: to close a
    database's file would drop the locks on it.
    """
    first, rest, links = *_begin(path), _LINKS
    at = os.open(first, _LOOK_AT)
    try:
        while rest:
            found = os.open(rest.pop(), _LOOK, dir_fd=at)
            if stat.S_ISLNK(os.fstat(found).st_mode):
                try:
                    rest += reversed(_target(found, path, links).parts)
                finally:
                    os.close(found)
                links -= 1
            else:
                at, before = found, at
                os.close(before)
    except BaseException as error:
        os.close(at)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise
    return at


def _begin(path: Path) -> tuple[Path, list[str]]:
    """What is opened as it is, the root or a folder that is `held`, and the names from there on,
    the last one first."""
    parts = path.absolute().parts
    known = len(_BY_HANDLE.parts) + 1 if path.is_relative_to(_BY_HANDLE) else 1
    return Path(*parts[:known]), list(reversed(parts[known:]))


def _target(link: int, path: Path, left: int) -> Path:
    """Where a link leads. Raises OSError unless root or we made it, or where too many came."""
    user = os.fstat(link).st_uid
    if user not in (0, os.geteuid()):
        text = say(
            f"路径里有用户 {user} 做的链接：删掉它，或由 root 来做",
            f"user {user} made a link on the way: remove it, or let root make it",
        )
        raise OSError(errno.ELOOP, text, str(path))
    if not left:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return Path(os.readlink("", dir_fd=link))


def is_root() -> bool:
    """Whether this process may give files away; never on Windows."""
    return os.name == "posix" and os.geteuid() == 0

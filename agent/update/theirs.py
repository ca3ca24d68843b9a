"""The folder that the agent's service owns, read by the helper, which has all rights.

Whatever lies there may be anybody's: links are not followed, and only plain files are read.
"""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO, Self

#: FILE_ATTRIBUTE_REPARSE_POINT: a link, a junction, a mount point.
_REPARSE = 0x400


class _Folder:
    """What both have in common: files are read as `open` gives them."""

    def open(self, name: str) -> BinaryIO:
        """A plain file of the folder. Raises OSError: there is none, a link, a pipe, a device."""
        raise NotImplementedError

    def read(self, name: str, most: int) -> bytes:
        """Its first `most` bytes. Raises OSError."""
        with self.open(name) as opened:
            return opened.read(most)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held open."""


class Theirs(_Folder):
    """On Linux: by a handle of the folder, so that it cannot be exchanged meanwhile."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError: there is no such folder, or it is a link."""
        self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)

    def open(self, name: str) -> BinaryIO:
        """See `_Folder.open`."""
        found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self._handle)
        if stat.S_ISREG(os.fstat(found).st_mode):
            return os.fdopen(found, "rb")
        os.close(found)
        raise OSError(f"{name} is no plain file")

    def remove(self, name: str) -> None:
        """A request that is taken. Raises OSError."""
        os.unlink(name, dir_fd=self._handle)


class TheirsOnWindows(_Folder):
    """By path. A junction made between look and reading gives another file: of another hash."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError: there is no such folder, or it is a link or junction."""
        self._folder = _own(folder)

    def open(self, name: str) -> BinaryIO:
        """See `_Folder.open`."""
        path = _own(self._folder / name)
        if not path.is_file():
            raise OSError(f"{name} is no plain file")
        return path.open("rb")

    def remove(self, name: str) -> None:
        """Not by us: deleting in a folder of others by path could be led elsewhere.

        The service deletes its request itself once it knows the outcome.
        """


def theirs(folder: Path) -> Theirs | TheirsOnWindows:
    """That of this system. Raises OSError."""
    return TheirsOnWindows(folder) if sys.platform == "win32" else Theirs(folder)


def _own(path: Path) -> Path:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode) or getattr(found, "st_file_attributes", 0) & _REPARSE:
        raise OSError(f"{path.name} is a link")
    return path

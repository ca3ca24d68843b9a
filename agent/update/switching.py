"""The folders of the versions on Linux, and which one is in use; each step whole or absent."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
from pathlib import Path
from typing import Self

import msgspec

from agent.common import decoding
from agent.common.files import replace

_EXCHANGE, _HERE = 2, -100  # RENAME_EXCHANGE, AT_FDCWD


class Pending(msgspec.Struct, frozen=True):
    """A version that was switched to and has not reported yet."""

    version: str
    previous: str
    target: str
    tries: int = 0

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """What is pending; None: nothing. Raises msgspec.DecodeError, OSError."""
        try:
            return decoding.decode((folder / "pending.json").read_bytes(), cls)
        except FileNotFoundError:
            return None

    def write(self, folder: Path) -> None:
        """On the disk on return. Raises OSError."""
        replace(folder / "pending.json", msgspec.json.encode(self), mode=0o600)

    def once_more(self) -> Self:
        """Counted once more: each start of the helper is one."""
        return msgspec.structs.replace(self, tries=self.tries + 1)

    @staticmethod
    def forget(folder: Path) -> None:
        """Nothing is pending. Raises OSError."""
        (folder / "pending.json").unlink(missing_ok=True)


class Places:
    """PREFIX, PREFIX-steady, and PREFIX-VERSION for each version."""

    def __init__(self, prefix: Path) -> None:
        self._prefix = prefix
        self.steady = prefix.with_name(f"{prefix.name}-steady")

    def folder(self, version: str) -> Path:
        """Where a version lies."""
        return self._prefix.with_name(f"{self._prefix.name}-{version}")

    def settle(self, version: str) -> Path:
        """The folder of the version in use, with PREFIX and the steady link leading to it.

        The first installation is a plain folder at PREFIX: it is copied, so that there is a whole
        one at each moment, and then a link takes its place. Raises OSError.
        """
        if self._prefix.is_symlink():
            return self._prefix.resolve()
        target = self.folder(version)
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(self._prefix, target, symlinks=True)
        _link(self.steady, target)
        link = self._prefix.with_name(f".{self._prefix.name}.new")
        _remove(link)
        link.symlink_to(target)
        _exchange(link, self._prefix)
        _remove(link)  # the plain folder now
        return target

    def switch(self, target: Path) -> None:
        """Have PREFIX lead to `target`, at once. Raises OSError."""
        _link(self._prefix, target)

    def keep(self, target: Path, previous: Path) -> None:
        """`target` has proved good: of the others the one before is kept. Raises OSError."""
        _link(self.steady, target)
        pattern = re.compile(re.escape(self._prefix.name) + r"-[0-9][0-9.]*")
        for path in self._prefix.parent.iterdir():
            if pattern.fullmatch(path.name) and path not in (target, previous):
                _remove(path)


def _link(path: Path, target: Path) -> None:
    partial = path.with_name(f".{path.name}.link")
    partial.unlink(missing_ok=True)
    partial.symlink_to(target)
    partial.replace(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _exchange(one: Path, other: Path) -> None:
    """Swap two names in one step; raises OSError, also where the system cannot."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))

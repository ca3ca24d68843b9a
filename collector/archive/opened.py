"""An archive's file, opened for reading: its members by name."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.common.language import say
from collector.archive.container import Buffer, Members, by_directory
from collector.archive.errors import ArchiveError, DamagedError

MANIFEST = "MANIFEST.sha256"


class Opened:
    """The members of an archive whose structure is sound."""

    def __init__(self, path: Path, members: Members) -> None:
        self.path = path
        self._members = members

    @property
    def names(self) -> list[str]:
        """The members in their order."""
        return list(self._members)

    def member(self, name: str) -> bytes:
        """A member's bytes, as they stand there.

        Raises:
            DamagedError: the archive has no such member.
        """
        if name not in self._members:
            raise DamagedError(no_archive(self.path, say(f"没有 {name}", f"no {name} in it")))
        return self._members[name]

    def checked(self, name: str) -> bytes:
        """A member's bytes, which have the digest that the manifest says.

        Raises:
            DamagedError: they have not.
        """
        data = self.member(name)
        if digest(data) != digests(self.member(MANIFEST)).get(name):
            wrong = say(f"{name} 与清单不符", f"{name} is not what the manifest says")
            raise DamagedError(no_archive(self.path, wrong))
        return data

    @property
    def root(self) -> str:
        """The root hash: the SHA-256 of the manifest."""
        return digest(self.member(MANIFEST))


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """The archive at `path`, open within the block.

    Raises:
        ArchiveError: the file cannot be read.
        DamagedError: it is no archive of ours, or its structure is damaged.
    """
    with mapped(path) as data:
        entries = by_directory(data)
        if entries is None:
            reason = say("不是存档，或结构已损坏", "no archive, or its structure is damaged")
            raise DamagedError(no_archive(path, reason))
        yield Opened(path, Members(data, entries))


@contextmanager
def mapped(path: Path) -> Iterator[Buffer]:
    """The file's bytes, read where they are asked for.

    Raises:
        ArchiveError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                yield b""
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield data
    except OSError as error:
        reason = error.strerror or str(error)
        raise ArchiveError(
            say(f"{path}: 读不出：{reason}", f"{path}: cannot be read: {reason}")
        ) from error


def no_archive(path: Path, reason: str) -> str:
    """The message for a damaged archive, with the fix."""
    return say(
        f"{path}: {reason}。运行 schoolpulse verify 查看，换成完好的副本",
        f"{path}: {reason}. See schoolpulse verify, and put a sound copy in its place",
    )


def digest(data: bytes) -> str:
    """The SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def digests(manifest: bytes) -> dict[str, str]:
    """The digests by member, from a manifest as `sha256sum` writes it; lines that are none miss."""
    lines = (line.split("  ", 1) for line in manifest.decode("ascii", "replace").splitlines())
    return {parts[1]: parts[0] for parts in lines if len(parts) == 2}

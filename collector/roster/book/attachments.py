"""Forms and photos that show what an inspection says, kept beside the register's book.

Each is copied into the folder `inspections` under its SHA-256, before a record refers to it: what
was looked at stays the same even where the photo on the desk is moved or edited.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from agent.common import ownership
from agent.common.files import replace as put
from agent.common.language import say
from collector.roster.book.file import BookError
from collector.roster.register import Inspection

FOLDER = "inspections"
MAX_BYTES = 64 * 1024 * 1024
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


class Kept(NamedTuple):
    """A file as a record names it."""

    name: str
    sha256: str


def keep(book: Path, file: Path) -> Kept:
    """Copy a file beside the book at `book`; the copy is on the disk on return.

    Raises:
        BookError: it cannot be read or copied, is empty or larger than 64 MB.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            limit = MAX_BYTES // 1024 // 1024
            raise BookError(say(f"{file}: 超过 {limit} MB", f"{file}: is larger than {limit} MB"))
        data = file.read_bytes()
    except OSError as error:
        text = say(f"{file}: 读不到：{error.strerror}", f"{file}: cannot be read: {error.strerror}")
        raise BookError(text) from error
    if not data:
        raise BookError(say(f"{file}: 是空文件", f"{file}: is empty"))
    kept = Kept(file.name, hashlib.sha256(data).hexdigest())
    _put(_path(book, *kept), data)
    return kept


def path_of(book: Path, row: Inspection) -> Path | None:
    """Where the file of a record is kept; None where it has none."""
    return _path(book, row.file, row.file_sha256) if row.file else None


def faults(book: Path, rows: Iterable[Inspection]) -> Iterator[tuple[Inspection, str]]:
    """Records whose file is missing or is not what was kept, and what is wrong with it."""
    read: dict[Path, str] = {}
    for row in rows:
        path = path_of(book, row)
        if path is None:
            continue
        if path not in read:
            read[path] = _fault(path, row.file_sha256)
        if read[path]:
            yield row, f"{path}: {read[path]}"


def _fault(path: Path, digest: str) -> str:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return say("不见了，从备份恢复", "is missing; restore it from a backup")
    except OSError as error:
        return say(f"读不到：{error.strerror}", f"cannot be read: {error.strerror}")
    return "" if found == digest else say("被改过，从备份恢复", "was changed; restore a backup")


def _path(book: Path, name: str, digest: str) -> Path:
    """The hash names it; the ending is kept, so that it opens by a click."""
    suffix = Path(name).suffix.lower()
    return book.parent / FOLDER / f"{digest}{suffix if _SUFFIX.fullmatch(suffix) else ''}"


def _put(path: Path, data: bytes) -> None:
    try:
        ownership.make_folder(path.parent)
        if not path.exists() or path.read_bytes() != data:
            put(path, data)
    except OSError as error:
        text = say(f"{path}: 写不了：{error.strerror}", f"{path}: not written: {error.strerror}")
        raise BookError(text) from error

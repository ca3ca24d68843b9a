"""The folder `releases` of the data folder: the signed manifest and the files, by their hash.

The measurement server hands out what lies here, and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import zipfile
from pathlib import Path

from agent.common import ownership
from agent.common.command_line import RefusedError
from agent.common.files import replace
from agent.common.language import say
from agent.wire.release import MAX_FILE, Platform, ReleaseFile

FOLDER, MANIFEST = "releases", "manifest.json"
_NAME = re.compile("[0-9a-f]{64}")


def find(folder: Path, name: str) -> Path | None:
    """The file of that name on the shelf `folder`; None where there is none."""
    if name != MANIFEST and not _NAME.fullmatch(name):
        return None
    path = folder / name
    return path if path.is_file() and not path.is_symlink() else None


def put(shelf: Path, file: Path, version: str, not_before: int = 0) -> ReleaseFile:
    """Copy a file onto the shelf; what it is comes from its content, not its name.

    Raises:
        RefusedError: it is no setup.exe and no offline bundle, is too large, or cannot be copied.
    """
    try:
        platform = _platform(file)
        size = file.stat().st_size
        if size > MAX_FILE:
            raise RefusedError(say(f"{file}: 太大", f"{file}: is too large"))
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        _copy(file, shelf / sha256, sha256)
    except OSError as error:
        raise RefusedError(f"{error.filename or file}: {error.strerror or error}") from error
    return ReleaseFile(version, platform, sha256, size, file.name[:128], not_before)


def _copy(file: Path, target: Path, sha256: str) -> None:
    ownership.make_folder(target.parent)
    with ownership.held(target.parent) as folder:
        _copied(file, folder / target.name, sha256)


def _copied(file: Path, target: Path, sha256: str) -> None:
    partial = target.with_name(f"{sha256}.{os.getpid()}")
    try:
        partial.unlink(missing_ok=True)  # left by a killed process of our number
        with file.open("rb") as source, partial.open("xb+") as opened:
            ownership.hand_over(opened.fileno(), target.parent)
            shutil.copyfileobj(source, opened)
            opened.seek(0)
            if hashlib.file_digest(opened, "sha256").hexdigest() != sha256:
                raise OSError(say("在复制时变了", "changed while it was copied"))
            os.fsync(opened.fileno())
        partial.chmod(0o644)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def publish(shelf: Path, signed: bytes) -> None:
    """Put a new signed manifest in the former one's place. Raises RefusedError."""
    try:
        replace(shelf / MANIFEST, signed)
    except OSError as error:
        raise RefusedError(f"{shelf / MANIFEST}: {error.strerror or error}") from error


def _platform(file: Path) -> Platform:
    with file.open("rb") as opened:
        if opened.read(2) == b"MZ":
            return "windows"
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if any(_is_agent(name) for name in archive.namelist()):
                return "linux"
    raise RefusedError(
        say(
            f"{file}: 既不是 setup.exe，也不是 make bundle 的离线安装包",
            f"{file}: neither a setup.exe nor an offline bundle of `make bundle`",
        )
    )


def _is_agent(name: str) -> bool:
    return re.fullmatch(r"schoolpulse-agent/wheels/schoolpulse-[^/]+\.whl", name) is not None

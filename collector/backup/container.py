"""A backup file: a zip that comes under its name whole or not at all, and is checked by its hashes.

The manifest is the last entry, as it has the hashes of the others.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.common.language import say
from agent.version import VERSION
from collector.backup import manifest as manifests
from collector.backup.manifest import BackupError, Kind, Manifest, Part
from collector.backup.sealing import CHUNK, Sealer, WrongPassphraseError

_PACKED = {".zip", ".gz", ".jpg", ".jpeg", ".png", ".pdf", ".docx", ".xlsx", ".exe", ".whl"}
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError)


class Writer:
    """Writes `path` under another name; `finish` puts it in place. A killed one leaves none."""

    def __init__(self, path: Path, sealer: Sealer | None) -> None:
        """Raises OSError."""
        self._path, self._sealer = path, sealer
        self.partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        _sweep(path)
        opened = os.open(self.partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        self._file = os.fdopen(opened, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self.parts: list[Part] = []

    def add(
        self, name: str, kind: Kind, chunks: Iterable[bytes], *, sealed: bool = False,
        **owner: Any,
    ) -> None:  # fmt: skip
        """Write one part. Raises OSError, and what `chunks` raises."""
        if sealed and self._sealer:
            chunks = self._sealer.seal(name, chunks)
        entry = zipfile.ZipInfo(name)
        packed = sealed or Path(name).suffix.lower() in _PACKED
        entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        digest, size = hashlib.sha256(), 0
        with self._zip.open(entry, "w", force_zip64=True) as out:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                out.write(chunk)
        self.parts.append(Part(name, kind, digest.hexdigest(), size, sealed, **owner))

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest; on return the file is on the disk under its name. Raises OSError."""
        data = manifests.encode(manifest)
        self._zip.writestr(manifests.NAME, data)
        if self._sealer:
            self._zip.writestr(manifests.TAG, manifests.tag(self._sealer.secret, data))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.partial.replace(self._path)
        _flush_names(self._path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            with suppress(Exception):  # the block's own error counts
                self._file.close()
            self.partial.unlink(missing_ok=True)


class Reader:
    """Reads a backup file. `manifest` is checked: see `manifest.decode`."""

    def __init__(self, path: Path) -> None:
        """Raises BackupError: it is no backup file, cannot be read, or is of a later version."""
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            self._data = self._zip.read(manifests.NAME)
        except OSError as error:
            text = say("读不到", "cannot be read")
            raise BackupError(f"{path}: {text}: {error.strerror or error}") from error
        except _DAMAGED as error:
            raise BackupError(_not_whole(path)) from error
        self.manifest = manifests.decode(self._data, str(path), VERSION)

    def unlock(self, passphrase: str) -> Sealer:
        """The key of the sealed parts. Raises BackupError: it is another passphrase, or the
        manifest was changed by somebody who does not know it."""
        try:
            sealer = Sealer(passphrase, self.manifest.key)
            told = self._zip.read(manifests.TAG).decode()
        except (WrongPassphraseError, *_DAMAGED) as error:
            text = say("口令不对，或备份被改过", "wrong passphrase, or the file was changed")
            raise BackupError(f"{self.path}: {text}") from error
        if told != manifests.tag(sealer.secret, self._data):
            text = say("清单被改过：用另一份备份", "its manifest was changed: take another backup")
            raise BackupError(f"{self.path}: {text}")
        return sealer

    def chunks(self, part: Part, sealer: Sealer | None = None) -> Iterator[bytes]:
        """A part's bytes, opened where it is sealed and `sealer` is given.

        Raises:
            BackupError: while iterating; it is damaged.
        """
        try:
            if part.sealed and sealer:
                yield from sealer.open(part.name, self._stored(part))
            else:
                yield from self._stored(part)
        except (WrongPassphraseError, *_DAMAGED) as error:
            text = say("损坏", "is damaged")
            raise BackupError(f"{self.path}: {part.name}: {text}") from error

    def _stored(self, part: Part) -> Iterator[bytes]:
        with self._zip.open(part.name) as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def faults(self) -> Iterator[str]:
        """Each part that is missing, damaged or not in the manifest; reads the whole file."""
        known = {part.name for part in self.manifest.parts} | {manifests.NAME, manifests.TAG}
        for name in sorted(set(self._zip.namelist()) - known):
            yield f"{name}: {say('不在清单里', 'is not in the manifest')}"
        for part in self.manifest.parts:
            digest = hashlib.sha256()
            try:
                for chunk in self.chunks(part):
                    digest.update(chunk)
            except BackupError:
                yield f"{part.name}: {say('缺失或损坏', 'is missing or damaged')}"
                continue
            if digest.hexdigest() != part.sha256:
                yield f"{part.name}: {say('与清单不符', 'is not what the manifest says')}"

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def _sweep(path: Path) -> None:
    """Remove what killed backups to this name left behind. Raises OSError."""
    for left in path.parent.glob(f"{path.name}.*.partial*"):
        number = left.name.removeprefix(f"{path.name}.").split(".")[0]
        if number.isdigit() and not _lives(int(number)):
            left.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    if process == os.getpid():
        return False  # left by an earlier one of our number
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _flush_names(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _not_whole(path: Path) -> str:
    return say(
        f"{path}: 不是完整的备份文件：用另一份备份",
        f"{path}: is not a whole backup file: take another one",
    )

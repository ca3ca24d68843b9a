"""Which files of a city belong into its backup, and which of them are secret.

The data folder goes in whole, so that a file which a later version adds is not forgotten; of the
folder of the settings what a city has there, as it may be somebody's home.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from agent.common import ownership, secret_reading, settings
from collector.backup.manifest import Place
from collector.config import Config
from collector.service.pipeline import resend_request
from collector.store import factory

DATA, SETTINGS, ARCHIVES, KEYS, ALSO = "data", "settings", "archives", "keys", "also"
#: What a restore set aside, which is no part of the city any more.
ASIDE = "before-restore-"
#: Locks, SQLite's logs (a copy of the file has what is in them), files that are being replaced, and
#: what a keeper goes on from.
_PASSING = re.compile(
    rf".*(-wal|-shm|-journal)|.*\.lock|lock|.*\.partial(\.db)?|.*\.\d+|{ASIDE}.*|"
    rf"{re.escape(resend_request.FILE)}|checkpoints.*\.db"
)
#: In the data folder: passwords and keys of schools.
_SECRET = re.compile(r"enrol\.db|renewals/.*|.*\.(key|password|token)")
_SETTINGS = {".toml", ".pem", ".crt", ".csr", ".key", ".password", ".token", ".json", ".conf"}
_BROKER = "broker"
_SQLITE = b"SQLite format 3\0"


class Source(NamedTuple):
    """A file, its name in the backup, and whether it is sealed there."""

    name: str
    path: Path
    secret: bool = False

    @property
    def sqlite(self) -> bool:
        """Whether it is copied by SQLite, as others may write it. Raises OSError."""
        with self.path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE


class City(NamedTuple):
    """What is to be saved: the settings, their file where there is one, further folders."""

    config: Config
    file: Path | None
    also: tuple[Path, ...] = ()

    def folders(self) -> dict[str, Path]:
        """Place -> folder; one that lies within another place is saved with that."""
        found = {DATA: self.config.folder}
        if self.file:
            found[SETTINGS] = self.file.parent
        more = {ARCHIVES: self.config.archive_folder}
        if self.config.lines.keys:
            more[KEYS] = Path(self.config.lines.keys)
        more |= {f"{ALSO}-{number}": path for number, path in enumerate(self.also)}
        for name, path in more.items():
            if not path.resolve().is_relative_to(found[DATA].resolve()):
                found[name] = path
        return {name: path.resolve() for name, path in found.items()}

    def places(self) -> dict[str, Place]:
        """As the manifest has them. Raises OSError."""
        return {
            name: Place(str(path), *owned(path))
            for name, path in self.folders().items()
            if path.is_dir()
        }

    def moved(self) -> dict[str, Path]:
        """Part -> a file that the settings name and that lies in none of the places."""
        places = self.folders().values()
        found = (Path(name) for _, name in secret_reading.named(self.config))
        return {
            f"{SETTINGS}/{path.name}": path
            for path in found
            if path.is_file() and not any(path.resolve().is_relative_to(at) for at in places)
        }


def sources(city: City) -> Iterator[Source]:
    """All files, those of the settings first and the register last. Raises OSError."""
    for name, path in city.moved().items():
        yield Source(name, path, secret=_private(path))
    for place, folder in city.folders().items():
        if place == SETTINGS and city.file:
            yield from _settings(folder, city.file)
        elif place not in (DATA, SETTINGS):
            for path in files(folder):
                secret = place != ARCHIVES
                yield Source(f"{place}/{path.relative_to(folder).as_posix()}", path, secret)
    yield from _data(city.folders()[DATA], Path(city.config.lines.keys or os.devnull).resolve())


def owned(path: Path) -> tuple[int, str, str]:
    """Mode, user and group by name; empty where the system knows no name. Raises OSError."""
    found = path.stat()
    try:
        return found.st_mode & 0o7777, path.owner(), path.group()
    except KeyError:
        return found.st_mode & 0o7777, "", ""


def _data(folder: Path, keys: Path) -> Iterator[Source]:
    for path in files(folder):
        name = path.relative_to(folder).as_posix()
        if name == factory.FILE:  # its rows are saved, measurement by measurement
            continue
        secret = bool(_SECRET.fullmatch(name)) or path.is_relative_to(keys)
        yield Source(f"{DATA}/{name}", path, secret)


def _settings(folder: Path, file: Path) -> Iterator[Source]:
    for path in _sorted(folder.iterdir()):
        if path.suffix in _SETTINGS and path.is_file() and not path.name.startswith("."):
            own = path.name == file.name
            secret = _inline(path) if own else _private(path)
            yield Source(f"{SETTINGS}/{path.name}", path, secret)
    for path in files(folder / _BROKER):
        yield Source(f"{SETTINGS}/{path.relative_to(folder).as_posix()}", path, secret=True)


def files(folder: Path) -> Iterator[Path]:
    """All files below a folder, but those that pass with a process.

    Raises:
        OSError: one cannot be read, or is a link by which a service would have root save another's.
    """
    for path in _sorted(folder.iterdir()) if folder.is_dir() else ():
        if _PASSING.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from files(path)
        elif path.is_file():
            ownership.refuse_link(path)
            yield path


def _sorted(paths: Iterable[Path]) -> list[Path]:
    return sorted(paths)


def _private(path: Path) -> bool:
    """Whether nobody else may read it: all but certificates."""
    return path.suffix not in {".pem", ".crt"} or b"PRIVATE KEY" in path.read_bytes()


def _inline(path: Path) -> bool:
    """Whether the settings themselves hold a password or a token."""
    return any(
        (settings.peek(path, table) or {}).get(key)
        for table, key in (("mqtt", "password"), ("store", "token"))
    )

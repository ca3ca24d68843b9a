"""Puts a backup back: settings, files, rows, and the register last.

A restore that is killed leaves a folder marked as unfinished and without a register, and is
simply run again.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

import msgspec

from agent.common import files, ownership, textfile
from agent.common.language import say
from agent.common.lock import Lock
from agent.common.settings import SettingsError
from collector.backup import rows
from collector.backup.container import Reader
from collector.backup.making import Watch
from collector.backup.manifest import BackupError, Manifest, Part, Place
from collector.backup.planning import REGISTER, UNFINISHED, Plan
from collector.backup.sealing import Sealer
from collector.backup.sources import ASIDE, DATA, SETTINGS
from collector.config import Config, load
from collector.service.pipeline import resend_request
from collector.store.factory import open_store

_LOCKS = ("collect.lock", "keeper.lock", "up.lock", "enrol.lock", "lineserver/lock")
_HOUR_MS = 3_600_000


def restore(reader: Reader, plan: Plan, sealer: Sealer | None, watch: Watch) -> Config:
    """Do what is planned; the settings in force afterwards.

    Raises:
        BackupError: the file is damaged, or the settings cannot be used.
        HeldError: a collector or a measurement server runs on the folder.
        OSError, StoreError: something cannot be written; run it again.
    """
    manifest = reader.manifest
    with ExitStack() as held:
        _Folders(manifest, plan).make(plan.data)
        for name in _LOCKS:
            _Folders(manifest, plan).make((plan.data / name).parent)
            held.callback(Lock(plan.data / name, say("采集或测速服务", "service")).release)
        if plan.replace:
            _set_aside(plan.data)
        files.replace(plan.data / UNFINISHED, b"" if plan.kept else SETTINGS.encode())
        putting = _Putting(reader, plan, sealer, watch)
        for part in putting.order():
            putting.put(part)
        config = _config(plan)
        _rows(reader, config, watch)
        putting.put_register()
        resend_request.ask(plan.data, manifest.made - _HOUR_MS, time.time_ns() // 1_000_000)
        _own(plan.data / resend_request.FILE, manifest.places[DATA], 0o644)
        (plan.data / UNFINISHED).unlink()
    return config


class _Folders:
    """Makes folders as they were: whose, and who may enter."""

    def __init__(self, manifest: Manifest, plan: Plan) -> None:
        self._places = {plan.folders[name]: place for name, place in manifest.places.items()}

    def make(self, folder: Path) -> None:
        """Make it and what lacks above it. Raises OSError."""
        if folder.is_dir():
            return
        self.make(folder.parent)
        place = next((self._places[at] for at in (folder, *folder.parents) if at in self._places),
                     None)  # fmt: skip
        with ownership.held(folder.parent) as above:
            (above / folder.name).mkdir(exist_ok=True)
            if place:
                _own(above / folder.name, place, place.mode)


class _Putting:
    """Writes files to their places."""

    def __init__(self, reader: Reader, plan: Plan, sealer: Sealer | None, watch: Watch) -> None:
        self._reader, self._plan, self._sealer, self._watch = reader, plan, sealer, watch
        self._folders = _Folders(reader.manifest, plan)
        self._aside = f"{ASIDE}{time.strftime('%Y%m%d-%H%M%S')}"

    def order(self) -> Iterator[Part]:
        """The files but the register; the settings first."""
        found = [
            part
            for part in self._reader.manifest.kind("file")
            if self._plan.wanted(part) and part.name != f"{DATA}/{REGISTER}"
        ]
        yield from sorted(found, key=lambda part: not part.name.startswith(f"{SETTINGS}/"))

    def put_register(self) -> None:
        """The last file: from now on the folder is a city's."""
        for part in self._reader.manifest.kind("file"):
            if part.name == f"{DATA}/{REGISTER}":
                self.put(part)

    def put(self, part: Part) -> None:
        """Write one file; what is in its place outside the data folder is set aside."""
        if part.sealed and not self._sealer:
            return
        path = self._plan.path(part, self._reader.manifest)
        self._watch.step(str(path))
        self._folders.make(path.parent)
        outside = not path.is_relative_to(self._plan.data)
        with ownership.held(path.parent) as folder:
            self._put(part, folder / path.name, keep=outside)

    def _put(self, part: Part, path: Path, *, keep: bool) -> None:
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        with _opened(partial) as file:
            for chunk in self._chunks(part):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        _own(partial, part, part.mode)
        if keep and path.exists():
            kept = path.parent / self._aside
            kept.mkdir(mode=0o700, exist_ok=True)
            with ownership.held(kept) as aside:
                path.replace(aside / path.name)
        for left in ("-wal", "-shm"):
            path.with_name(path.name + left).unlink(missing_ok=True)
        partial.replace(path)

    def _chunks(self, part: Part) -> Iterator[bytes]:
        manifest = self._reader.manifest
        chunks = self._reader.chunks(part, self._sealer)
        if part.name != manifest.settings_file:
            return chunks
        text = textfile.decoded(b"".join(chunks))
        return iter([rewritten(text, _moves(manifest, self._plan), self._plan.data)])


def rewritten(text: str, moves: Mapping[str, str], data: Path) -> bytes:
    """The settings with the folders where they are now. Raises BackupError: no TOML."""
    folders = "|".join(re.escape(old) for old in sorted(moves, key=len, reverse=True))
    if moves:  # in one pass: a new folder may lie within an old one
        text = re.sub(
            rf"([\"'])({folders})(?=[\"'/])", lambda found: found[1] + moves[found[2]], text
        )
    try:
        named = "data" in tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BackupError(f"collector.toml: {error}") from error
    own = "" if named else f"data = {msgspec.json.encode(str(data)).decode()}\n"
    return (own + text).encode()


def _moves(manifest: Manifest, plan: Plan) -> dict[str, str]:
    moves = {place.path: str(plan.folders[name]) for name, place in manifest.places.items()}
    for old, name in manifest.moved.items():
        moves[old] = str(plan.folders[SETTINGS] / name.partition("/")[2])
    return moves


def _config(plan: Plan) -> Config:
    if plan.kept:
        return msgspec.structs.replace(plan.kept, data=str(plan.data))
    if not plan.settings.exists():
        return Config(data=str(plan.data))
    try:
        return msgspec.structs.replace(load(str(plan.settings))[0], data=str(plan.data))
    except SettingsError as error:
        fix = say(
            "补上后再运行一次，设置会保留", "add what lacks and run it again; the settings stay"
        )
        raise BackupError(f"{error}; {fix}") from error


def _rows(reader: Reader, config: Config, watch: Watch) -> None:
    with open_store(config) as store:
        for part in reader.manifest.kind("rows"):
            watch.step(part.name)
            try:
                rows.imported(store, reader.chunks(part), watch.more)
            except msgspec.MsgspecError as error:
                raise BackupError(f"{reader.path}: {part.name}: {error}") from error
    place = reader.manifest.places[DATA]
    for path in Path(config.folder).glob("schoolpulse.db*"):
        _own(path, place, 0o640)


def _set_aside(data: Path) -> None:
    """All that is in the folder, the register last: a restore that is killed before is refused."""
    aside = data / f"{ASIDE}{time.strftime('%Y%m%d-%H%M%S')}"
    aside.mkdir(mode=0o700, exist_ok=True)
    stays = {name.partition("/")[0] for name in _LOCKS}
    with ownership.held(data) as city, ownership.held(aside) as kept:
        there = [path for path in city.iterdir() if not path.name.startswith(ASIDE)]
        for path in sorted(there, key=lambda path: path.name == REGISTER):
            if path.name not in stays:
                path.rename(kept / path.name)
        (kept / "lineserver").mkdir(exist_ok=True)
        with (
            ownership.held(city / "lineserver") as lineserver,
            ownership.held(kept / "lineserver") as beside,
        ):
            for path in lineserver.iterdir():
                if path.name != "lock":
                    path.rename(beside / path.name)


def _own(path: Path, owner: Part | Place, mode: int) -> None:
    """Give it to whom it belonged, where we may and the system knows them."""
    ownership.set_rights(path, _account(owner) if os.geteuid() == 0 else None, mode)


def _account(owner: Part | Place) -> tuple[int, int] | None:
    """The numbers of its user and group here; -1 leaves what is."""
    if not owner.user:
        return None
    user = group = -1
    with suppress(KeyError):
        user = pwd.getpwnam(owner.user).pw_uid
    with suppress(KeyError):
        group = grp.getgrnam(owner.group).gr_gid
    return user, group


def _opened(path: Path) -> IO[bytes]:
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")

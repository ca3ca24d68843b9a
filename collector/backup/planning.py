"""Where a backup goes, and whether it may: decided before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from agent.common.language import say
from collector.backup.manifest import BackupError, Manifest, Part
from collector.backup.sources import ARCHIVES, DATA, KEYS, SETTINGS, files
from collector.config import DEFAULT_FILE, Config, load
from collector.store import factory

#: Stands in a data folder while it is being filled: such a one may be filled again.
UNFINISHED = "restore.unfinished"
REGISTER = "register.db"


class Wish(NamedTuple):
    """What the command was told."""

    file: Path | None = None
    data: Path | None = None
    replace: bool = False


class Plan(NamedTuple):
    """`settings` is the file of the settings; `kept`: it is there already and stays."""

    folders: dict[str, Path]  # place -> folder
    settings: Path
    kept: Config | None
    replace: bool

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folders[DATA]

    def path(self, part: Part, manifest: Manifest) -> Path:
        """Where a part goes. Raises BackupError: it names a place that the manifest lacks."""
        if part.name == manifest.settings_file:
            return self.settings
        place, _, name = part.name.partition("/")
        if place not in self.folders:
            raise BackupError(say(f"{part.name}: 不知道放哪里", f"{part.name}: no place for it"))
        return self.folders[place] / name

    def wanted(self, part: Part) -> bool:
        """Whether a file is restored: settings only where none are."""
        return self.kept is None or part.name.partition("/")[0] != SETTINGS


def plan(manifest: Manifest, wish: Wish) -> Plan:
    """Decide; nothing is written.

    Raises:
        BackupError: the folder holds a city already and is not to be replaced.
        SettingsError: the settings that are there cannot be read.
    """
    file = wish.file or DEFAULT_FILE
    former = Path(manifest.places[DATA].path)
    keeps = file.exists() and not wish.replace and not _resumed(wish.data or former)
    kept = load(str(file))[0] if keeps else None
    data = wish.data or (kept.folder if kept else former)
    folders = {DATA: data.absolute(), SETTINGS: file.absolute().parent}
    for name, place in manifest.places.items():
        if name not in folders:
            stays = kept is None and wish.data is None
            folders[name] = Path(place.path) if stays else _other(name, kept, folders[DATA])
    found = Plan(folders, file.absolute(), kept, wish.replace)
    _refuse(found, manifest)
    return found


def _resumed(data: Path) -> bool:
    """Whether a restore of the settings was killed here, so that they may not be whole."""
    try:
        return (data / UNFINISHED).read_text() == SETTINGS
    except OSError:
        return False


def _other(place: str, kept: Config | None, data: Path) -> Path:
    if kept and place == ARCHIVES:
        return kept.archive_folder
    if kept and place == KEYS and kept.lines.keys:
        return Path(kept.lines.keys)
    return data / place


def _refuse(found: Plan, manifest: Manifest) -> None:
    data = found.data
    if not found.replace and not (data / UNFINISHED).exists() and _in_use(data):
        raise BackupError(
            say(
                f"{data}: 里面已有数据，什么也没有改。换一个 --data；要用备份取代它，加 --replace"
                "（原有的移到旁边，不删除）",
                f"{data}: holds data already; nothing was changed. Choose another --data; to put "
                "the backup in its place, add --replace (what is there is set aside, not deleted)",
            )
        )
    if manifest.store == "influxdb" and not found.kept and not manifest.settings_file:
        raise BackupError(
            say(
                f"{found.settings}: 备份里没有设置，先写好 [store] 再恢复",
                f"{found.settings}: the backup has no settings; write [store] there first",
            )
        )


def _in_use(data: Path) -> bool:
    return (data / factory.FILE).exists() or next(files(data), None) is not None

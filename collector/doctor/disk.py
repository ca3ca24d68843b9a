"""The data folder, and the room on its disk."""

from __future__ import annotations

import os
from pathlib import Path

from agent.common import ownership, tables
from agent.common.checks import Check
from agent.common.language import say
from agent.common.settings_error import SettingsError
from collector.config import Config
from collector.doctor import files

#: Less than this share of the disk, or of bytes where that is more, is a finding.
_SHARE, _BYTES = 0.05, 10 * 10**9


def folder(config: Config, *, fix: bool) -> Check:
    """Whether the data folder is there and can be written; `fix` makes it."""
    name = say("数据目录", "data folder")
    try:
        path = config.folder
    except SettingsError as error:  # it names the user and the fix
        return Check(name, False, str(error), say("换用户运行", "run it as another user"))
    try:
        found = path.is_dir()
        if not found and fix:
            ownership.make_folder(path)
            found = True
    except OSError as error:
        cure = files.fix_of(error, path) or say("改正 data", "correct data in the settings")
        return Check(name, False, f"{path}: {error.strerror}", cure)
    if not found:
        text = say(f"{path} 不存在", f"{path} does not exist")
        return Check(name, False, text, f"mkdir -p {path}")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        text = say(f"{path} 不可写", f"{path} is not writable")
        return Check(name, False, text, files.rights(path))
    return Check(name, True, str(path))


def room(path: Path) -> Check:
    """How much room is left on the disk of `path`."""
    name = say("磁盘空间", "disk")
    found = os.statvfs(path)
    total, free = found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize
    detail = say(
        f"{path}: 剩 {tables.size(free)}，共 {tables.size(total)}",
        f"{path}: {tables.size(free)} of {tables.size(total)} free",
    )
    if found.f_files and not found.f_favail:
        detail += say("；文件数已满", "; no more files can be made")
    elif free >= min(_SHARE * total, _BYTES):
        return Check(name, True, detail)
    return Check(name, False, detail, files.full(path / "x"))

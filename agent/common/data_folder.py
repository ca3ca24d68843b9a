"""Where a program keeps its files: one answer for root, the service's user and every command."""

from __future__ import annotations

import os
from pathlib import Path

from agent.common import ownership
from agent.common.language import say
from agent.common.settings_error import SettingsError


def chosen(setting: str, system: Path, own: str) -> Path:
    """The folder of the setting `data`; else `system`, where it exists or root runs this; else
    `own` in this user's home, which no service reads.

    Raises:
        SettingsError: `system` exists and this user may not write it.
    """
    if setting:
        return Path(setting)
    if ownership.is_root():
        return system
    if not _exists(system):
        return Path.home() / own
    if not os.access(system, os.R_OK | os.W_OK | os.X_OK):
        raise SettingsError(_forbidden(system))
    return system


def _exists(folder: Path) -> bool:
    try:
        return folder.exists()
    except PermissionError:  # of a folder above it
        return True


def _forbidden(folder: Path) -> str:
    user, owner = _name(os.geteuid()), _owner(folder)
    return say(
        f"{folder} 是 {owner} 的，用户 {user} 不能读写：用 sudo -u {owner} 或 root 运行，"
        "或用 data 另设数据目录",
        f"{folder} is {owner}'s, and user {user} may not read and write it: run this by "
        f"sudo -u {owner} or as root, or set another data folder by data",
    )


def _owner(folder: Path) -> str:
    try:
        return _name(folder.stat().st_uid)
    except OSError:
        return "root"


def _name(uid: int) -> str:
    import pwd  # not on Windows

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"  # as sudo -u takes it

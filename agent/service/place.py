"""Settings and secrets put where the service finds them, for it alone.

Linux: /etc/schoolpulse of mode 0700, files of mode 0400, all root's; systemd hands copies to the
service. Windows: for the system, administrators and the service's own account.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from agent.common import files, secret_files
from agent.common.command_line import RefusedError
from agent.common.language import say
from agent.service.windows import NAME

_MODE, _OPEN = 0o400, 0o644


def put(found: Mapping[str, bytes], folder: Path, data: Path) -> bool:
    """Put the files into `folder`, the settings last; whether anything was changed.

    `data`: the agent's data folder, to which its account gets access on Windows.

    Raises:
        OSError: a file cannot be written.
        RefusedError: the folder belongs to somebody else.
    """
    changed = _prepare(folder, data)
    for name in sorted(found, key=lambda name: name == secret_files.SETTINGS):
        if name == secret_files.CA and citys(folder) and (folder / name).exists():
            continue  # the city's, and newer than any bundle's
        changed |= _put(folder / name, found[name])
    return changed


def citys(folder: Path) -> bool:
    """Whether the city's settings lie there too: its other users read them, and the CA."""
    return (folder / "collector.toml").exists()


def _prepare(folder: Path, data: Path) -> bool:
    there = folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        from agent.windows import rights, sddl

        rights.write(folder, sddl.folder(NAME))
        if data.resolve() != folder.resolve():
            data.mkdir(parents=True, exist_ok=True)
            rights.write(data, sddl.granted(rights.read(data), NAME), inherit=True)
        return not there
    return _close(folder) or not there


def _close(folder: Path) -> bool:
    """Take the folder from others, where it is not the city's too."""
    found = folder.stat()
    if found.st_uid != os.geteuid():
        raise RefusedError(
            say(
                f"{folder} 不属于当前用户（root）：chown root: {folder}",
                f"{folder} does not belong to this user (root): chown root: {folder}",
            )
        )
    mode = stat.S_IMODE(found.st_mode)
    wanted = mode & ~0o022 if citys(folder) else 0o700
    if mode != wanted:
        folder.chmod(wanted)
    return mode != wanted


def _put(file: Path, data: bytes) -> bool:
    if _same(file, data):
        return False
    if sys.platform == "win32":
        from agent.windows import rights, sddl

        files.replace(file, data, mode=None)
        rights.write(file, sddl.secret(NAME))
        return True
    files.replace(file, data, mode=_mode(file))
    return True


def _mode(file: Path) -> int:
    return _OPEN if file.name == secret_files.CA and citys(file.parent) else _MODE


def _same(file: Path, data: bytes) -> bool:
    try:
        if file.is_symlink() or file.read_bytes() != data:
            return False
    except FileNotFoundError:
        return False
    if sys.platform == "win32":
        from agent.windows import rights, sddl

        return not sddl.others(rights.read(file), sddl.READ, sddl.service_sid(NAME))
    found = file.stat()
    return stat.S_IMODE(found.st_mode) == _mode(file) and found.st_uid == os.geteuid()

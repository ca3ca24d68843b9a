"""Secrets read from the files that settings name: where a file lies, what is wrong with it."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from agent.common import secret_files, textfile
from agent.common.language import say
from agent.common.settings_error import SettingsError

#: Settings that name a file beside the settings, but no secret.
_PLAIN = ("ca", "certificate", "key")
#: Whose mode says nothing: there a container's runtime decides who reads what; tokens are a volume.
_MOUNTED = ("/run/secrets/", "/run/tokens/")


def located(name: str, folder: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Where the file `name` of settings lies: systemd's copy, else below the settings' `folder`."""
    copies = secret_files.credentials(environ)
    if copies and (copy := Path(copies) / Path(name).name).is_file():
        return str(copy)
    return str(folder / name)


def locate_all(tree: dict[str, Any], folder: Path, environ: Mapping[str, str]) -> None:
    """Make every name of a file in the settings `tree` a whole path."""
    for key, value in tree.items():
        if isinstance(value, dict):
            locate_all(value, folder, environ)
        elif isinstance(value, list):
            for one in (one for one in value if isinstance(one, dict)):
                locate_all(one, folder, environ)
        elif names_file(key) and isinstance(value, str) and value:
            tree[key] = located(value, folder, environ)


def names_file(key: str) -> bool:
    """Whether the setting's value is the name of a file beside the settings."""
    return key.endswith("_file") or key in _PLAIN


def named(config: msgspec.Struct, above: str = "") -> Iterator[tuple[str, str]]:
    """Each setting that names a file, and the file, of settings and of the rows in them."""
    for field in msgspec.structs.fields(config):
        value = getattr(config, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, msgspec.Struct):
                yield from named(one, f"{above}{field.name}.")
        if names_file(field.name) and isinstance(value, str) and value:
            yield above + field.name, value


def read(setting: str, path: str) -> str:
    """The secret in the file that `setting` names.

    Raises:
        SettingsError: there is none, or it cannot be read; the message has the fix.
    """
    try:
        return textfile.secret(Path(path))
    except FileNotFoundError as error:
        fix = say(
            "改正这个文件名，或重新安装配置包", "correct the name, or install the bundle again"
        )
        raise SettingsError(_told(setting, path, error.strerror or "", fix)) from error
    except PermissionError as error:
        fix = say("用 root（管理员）运行", "run it as root (administrator)")
        if sys.platform != "win32" and Path(path).is_dir():  # a folder, to which mode 0 may apply
            fix = say("应是文件，不是文件夹", "name a file, not a folder")
        raise SettingsError(_told(setting, path, error.strerror or "", fix)) from error
    except OSError as error:
        fix = say("应是能读的文件", "it must be a file that can be read")
        raise SettingsError(_told(setting, path, error.strerror or str(error), fix)) from error
    except textfile.TextFileError as error:
        raise SettingsError(f"{setting}: {path} {error}") from error


def _told(setting: str, path: str, why: str, fix: str) -> str:
    problem = say("读不到密钥文件", "cannot read the secret file")
    return f"{setting}: {problem} {path}: {why}; {fix}"


def forbidden(path: str) -> bool:
    """Whether the file is there, for others than us."""
    try:
        with open(path, "rb"):
            return False
    except PermissionError:
        return not _is_folder(path)
    except OSError:
        return False


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except OSError:
        return False


def fresh(setting: str, path: str, known: str) -> str:
    """The secret as its file holds it now, so that a new one counts without a restart.

    `known` is what settings say without a file, or what its file held before: it stays where the
    file cannot be read at the moment.

    Raises:
        SettingsError: the file cannot be read, and nothing is known.
    """
    if not path:
        return known
    try:
        return read(setting, path)
    except SettingsError:
        if known:
            return known
        raise


def exposed(setting: str, path: str) -> Iterator[str]:
    """A warning where others than the owner may read the secret. Windows: see `doctor`."""
    if sys.platform == "win32" or path.startswith(_MOUNTED) or _is_copy(path):
        return
    try:
        found = os.stat(path)
    except OSError:
        return
    if not stat.S_ISREG(found.st_mode) or not (open_to := _open_to(found)):
        return
    mode = f"{stat.S_IMODE(found.st_mode):04o}"
    yield say(
        f"{setting}: {path} 的权限是 {mode}，{open_to}也能读：chmod 0400 {path}",
        f"{setting}: {path} has mode {mode}, so {open_to} can read it: chmod 0400 {path}",
    )


def _open_to(found: os.stat_result) -> str:
    """Who else may read or write; a group to which root gave a file of its own is meant to."""
    if found.st_mode & 0o007:
        return say("任何人", "everybody")
    granted = found.st_uid == 0 and not found.st_mode & 0o030
    return "" if granted or not found.st_mode & 0o070 else say("同组的人", "the group")


def _is_copy(path: str) -> bool:
    copies = secret_files.credentials(os.environ)
    return bool(copies) and Path(path).parent == Path(copies)

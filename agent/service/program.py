"""Whether others than the administrator could change the program that the service runs."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.common.command_line import RefusedError
from agent.common.language import say


def check() -> None:
    """Raise RefusedError where somebody else could change what the service runs."""
    places = _places()
    if sys.platform == "win32":
        found = next(_open_on_windows(places), "")
    else:
        found = next(open_to_others(places), "")
    if found:
        raise RefusedError(found + say("；", "; ") + _fix())


def _fix() -> str:
    if sys.platform == "win32":
        return say(
            "装到只有管理员能改的文件夹，如 C:\\Program Files",
            "install it where only administrators can write, such as C:\\Program Files",
        )
    return say(
        "用 root 装到 /opt/schoolpulse（离线安装包里的 install.sh 就是这样做的），"
        "或把它改成只有 root 能写：chown -R root: 目录; chmod -R go-w 目录",
        "install it as root in /opt/schoolpulse, as install.sh of the offline bundle does, or make"
        " it writable for root alone: chown -R root: FOLDER; chmod -R go-w FOLDER",
    )


def _places() -> list[Path]:
    """The interpreter, and the folders that it loads the agent and its libraries from."""
    if getattr(sys, "frozen", False):
        return [Path(sys.executable), Path(sys.executable).parent / "_internal"]
    package = Path(__file__).parents[1]
    libraries = [Path(path) for path in sys.path if path and Path(path).is_dir()]
    return [Path(sys.executable), package, *libraries]


def open_to_others(places: Iterable[Path], owners: tuple[int, ...] = (0,)) -> Iterator[str]:
    """What others than `owners` can write of `places`: what lies in them, and the way to them."""
    seen: set[Path] = set()
    for place in places:
        for path in _way(place):
            if path not in seen:
                seen.add(path)
                yield from _one(path, owners)
        yield from _below(place, owners)


def _way(place: Path) -> Iterator[Path]:
    """The place, each link on the way to it, and all folders above both."""
    absolute = Path(os.path.abspath(place))
    for start in (absolute, absolute.resolve()):
        yield start
        yield from start.parents


def _below(place: Path, owners: tuple[int, ...]) -> Iterator[str]:
    for folder, folders, files in os.walk(place):
        for name in (*folders, *files):
            yield from _one(Path(folder, name), owners)


def _one(path: Path, owners: tuple[int, ...]) -> Iterator[str]:
    try:
        found = path.lstat()
    except OSError:
        return
    if found.st_uid not in owners:
        yield say(
            f"{path} 属于 uid {found.st_uid}，他可以换掉以服务身份运行的程序",
            f"{path} belongs to uid {found.st_uid}, who could replace what the service runs",
        )
    if stat.S_ISLNK(found.st_mode):  # its mode says nothing; what it leads to is looked at too
        return
    sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    group = found.st_mode & stat.S_IWGRP and found.st_gid != 0
    if (found.st_mode & stat.S_IWOTH or group) and not sticky:
        mode = f"{stat.S_IMODE(found.st_mode):04o}"
        yield say(
            f"{path} 的权限是 {mode}，别人可以换掉以服务身份运行的程序",
            f"{path} has mode {mode}: others could replace what the service runs",
        )


def _open_on_windows(places: Iterable[Path]) -> Iterator[str]:
    from agent.windows import rights, sddl

    for place in places:
        for path in (place, *sorted(place.rglob("*") if place.is_dir() else ()), place.parent):
            who = sddl.others(rights.read(path), sddl.CHANGE)
            if who:
                yield say(
                    f"{path} 可由 {who[0]} 修改，他可以换掉以服务身份运行的程序",
                    f"{path} can be changed by {who[0]}, who could replace what the service runs",
                )

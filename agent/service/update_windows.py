"""The second Windows service: the one that may install new versions of the agent.

It runs as the system from a copy of the program, so that the program itself can be replaced, and a
broken one put back. Copies, key and memory lie in a folder beside the program's. It starts with the
PC, looks whether an installation was cut, and ends; else the agent's account may start it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from agent.common.files import replace
from agent.common.language import say
from agent.service import windows
from agent.update.install_windows import QUERY, START, UPDATER, own_folder
from agent.update.switching import Pending
from agent.version import VERSION
from agent.windows import rights, sddl
from agent.windows.advapi import ServiceError

MODULE = "agent.service.update_service"
#: Set by the updater for the setup that it runs: the updater itself is left as it is.
UPDATING = "SCHOOLPULSE_UPDATING"
KEY = "release.toml"
#: Within its folder: what was copied and is not checked yet, for nobody else to read.
WORK = "work"
_TITLE = "SchoolPulse 校园脉搏 agent update"
_ABOUT = "Installs new agent versions that the city has signed. 安装市里签过名的新版本。"
_COPY = re.compile(r"(setup-)?[0-9][0-9.]*(\.part)?")
_KIND = windows.Kind(UPDATER, _TITLE, _ABOUT, account=None)


def install(public_key: str, state: Path, wait: windows.Wait) -> None:
    """Put it in its place, or take it away where there is no key; `state`: the data folder.

    Nothing is done where this program is not frozen, or others could write beside it. What goes
    wrong is said, no more: the agent runs without it, and tells the city that it cannot update.
    """
    if not getattr(sys, "frozen", False) or UPDATING in os.environ:
        return
    try:
        _install(public_key, state, wait)
    except (OSError, ServiceError) as error:
        print(say(f"不能自动更新：{error}", f"no updates by itself: {error}"), file=sys.stderr)


def _install(public_key: str, state: Path, wait: windows.Wait) -> None:
    program = Path(sys.executable).parent
    if not public_key or sddl.others(rights.read(program.parent), sddl.CHANGE):
        uninstall(wait)
        return
    windows.uninstall(wait, UPDATER)
    own = own_folder(program)
    own.mkdir(exist_ok=True)
    Pending.forget(own)  # whoever runs a setup by hand has chosen this version
    rights.write(own, sddl.program())
    (own / WORK).mkdir(exist_ok=True)
    rights.write(own / WORK, sddl.closed())
    replace(own / KEY, f'[update]\npublic_key = "{public_key}"\n'.encode(), mode=None)
    copy = copied(program, own)
    windows.install(command(copy, program, state), wait, _KIND)
    windows.grant(UPDATER, windows.NAME, QUERY | START)


def uninstall(wait: windows.Wait) -> None:
    """Remove it and its copies; what it remembers stays, or an old manifest would count again.

    Raises:
        ServiceError, OSError: Windows refuses.
    """
    if not getattr(sys, "frozen", False) or UPDATING in os.environ:
        return
    windows.uninstall(wait, UPDATER)
    own = own_folder(Path(sys.executable).parent)
    Pending.forget(own)  # its copies go, so that there is nothing to go back to
    forget_copies(own)


def purge() -> None:
    """Delete its folder."""
    if getattr(sys, "frozen", False):
        shutil.rmtree(own_folder(Path(sys.executable).parent), ignore_errors=True)


def command(copy: Path, program: Path, state: Path) -> str:
    """The service's command line, which runs the copy."""
    words = ["--prefix", str(program), "--own", str(own_folder(program)), "--state", str(state)]
    return subprocess.list2cmdline([str(copy / Path(sys.executable).name), "-m", MODULE, *words])


def copied(program: Path, own: Path, version: str = VERSION) -> Path:
    """A whole copy of the program, of that version. Raises OSError."""
    target, partial = own / version, own / f"{version}.part"
    for old in (target, partial):
        if old.exists():
            shutil.rmtree(old)
    partial.mkdir()
    name = Path(sys.executable).name
    shutil.copy2(program / name, partial / name)
    shutil.copytree(program / "_internal", partial / "_internal")
    partial.rename(target)
    return target


def forget_copies(own: Path, *kept: Path) -> None:
    """Delete the copies and setups but `kept`; one that runs stays, and goes the next time.

    What is remembered of manifests and refused versions is no copy, and stays.
    """
    for path in own.iterdir() if own.is_dir() else ():
        if _COPY.fullmatch(path.name) and path not in kept:
            shutil.rmtree(path, ignore_errors=True)

"""As whom `doctor` asks: as the service's own account, which may read less than an administrator.

On Linux the account is the owner of the data folder (systemd gives the unit a user of its own).
Root takes that account's rights for the checks that follow, for good. The data folder itself is
checked before: outside its unit that user cannot reach it, as systemd keeps it in a private folder.
On Windows nothing is changed: the service runs as LocalSystem, and an administrator reads as much.
"""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path

from agent.common.checks import Check
from agent.common.language import say


def take(folder: Path, settings: str) -> Check:
    """Take the rights of the service's account if we may; says whose rights the checks have.

    `folder` is the service's data folder, `settings` its file, empty where there is none.
    """
    name = say("账号", "account")
    if sys.platform == "win32":
        who = _user()
        told = say(f"{who}；服务用 LocalSystem", f"{who}; the service's is LocalSystem")
        return Check(name, None, told)
    if os.geteuid() != 0:
        return Check(name, True, _user())
    try:
        owner = folder.stat()
    except OSError:
        return _as_root(name)
    if owner.st_uid == 0:
        return _as_root(name)
    os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
    told = say(f"{_user()}，即 {folder} 的所有者", f"{_user()}, who owns {folder}")
    if settings and not os.access(settings, os.R_OK):
        told += say("；读不到配置", "; cannot read the settings")
        fix = say(f"让此账号可读 {settings}", f"let this account read {settings}")
        return Check(name, False, told, fix)
    return Check(name, True, told)


def _as_root(name: str) -> Check:
    told = say(
        "root；服务的账号未知，权限未查",
        "root; the service's is unknown, its rights are not checked",
    )
    fix = say("服务运行过一次后再查", "check again once the service has run")
    return Check(name, None, told, fix)


def _user() -> str:
    """The user's name; a user that is gone, as of a stopped unit, has a number only."""
    if sys.platform == "win32":
        return getpass.getuser()
    import pwd  # not on Windows

    try:
        return f"{pwd.getpwuid(os.geteuid()).pw_name} (uid {os.geteuid()})"
    except KeyError:
        return f"uid {os.geteuid()}"

"""As whom `doctor` asks: as the service's own account, which may read less than an administrator.

On Linux the account is the owner of the data folder (systemd gives the unit a user of its own).
Root takes that account's rights for the checks that follow, for good. The data folder itself is
checked before: outside its unit that user cannot reach it, as systemd keeps it in a private folder.
Settings and secrets that only root reads reach the service as copies: root makes the same copies
for the account that the checks then have.
On Windows nothing is changed: nobody can log in as the service's own account. The rights of its
files are checked instead (`agent.doctor.secrets`).
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from agent.common import files
from agent.common.checks import Check
from agent.common.language import say
from agent.common.secret_files import CREDENTIALS
from agent.service.windows import ACCOUNT

#: A folder in memory, so that no copy of a secret reaches the disk.
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own name is made in it


#: What any run of the agent reads: Python's library, and ours.
PROGRAM = (os.__file__, __file__)


def take(folder: Path, settings: str, program: Sequence[str] = PROGRAM) -> Check:
    """Take the rights of the service's account if we may; says whose rights the checks have.

    `folder` is the service's data folder, `settings` its file, empty where there is none,
    `program` what the account must be able to read to run at all.
    """
    name = say("账号", "account")
    if sys.platform == "win32":
        who = _user()
        told = say(f"{who}；服务用 {ACCOUNT}", f"{who}; the service's is {ACCOUNT}")
        return Check(name, None, told)
    if os.geteuid() != 0:
        return Check(name, True, _user())
    try:
        owner = folder.stat()
    except OSError:
        return _as_root(name)
    if owner.st_uid == 0:
        return _as_root(name)
    for path in program:
        if closed := _closed(Path(path), owner):
            told = say(
                f"uid {owner.st_uid} 进不去 {closed}", f"uid {owner.st_uid} cannot enter {closed}"
            )
            fix = say(
                "把程序装到人人可读的文件夹，如 /opt/schoolpulse",
                "install the program where everybody can read it, such as /opt/schoolpulse",
            )
            return Check(name, False, told, fix)
    os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
    told = say(f"{_user()}，即 {folder} 的所有者", f"{_user()}, who owns {folder}")
    if settings and not os.access(settings, os.R_OK):
        told += say("；读不到配置", "; cannot read the settings")
        fix = say(f"让此账号可读 {settings}", f"let this account read {settings}")
        return Check(name, False, told, fix)
    return Check(name, True, told)


@contextlib.contextmanager
def copies(folder: Path, handed: Mapping[str, str]) -> Iterator[str]:
    """Copies of the files that systemd hands to the service, as systemd makes them.

    `handed`: name of the copy, and the file (`agent.service.handed`). Gives the folder of the
    copies, empty where the service gets none or we are not root; it is gone afterwards, also when
    root has taken the account's rights meanwhile.
    """
    if sys.platform == "win32" or not handed or os.geteuid() != 0 or not folder.exists():
        yield ""
        return
    owner = folder.stat()
    made = Path(tempfile.mkdtemp(prefix="schoolpulse-", dir=_MEMORY if _MEMORY.is_dir() else None))
    before = os.environ.get(CREDENTIALS)
    try:
        for name, file in handed.items():
            with contextlib.suppress(OSError):  # the check of that file says so
                _copy(made / name, Path(file).read_bytes(), owner)
        os.chown(made, owner.st_uid, owner.st_gid)
        os.environ[CREDENTIALS] = str(made)
        yield str(made)
    finally:
        os.environ.pop(CREDENTIALS)
        if before is not None:
            os.environ[CREDENTIALS] = before
        shutil.rmtree(made, ignore_errors=True)


def _copy(path: Path, data: bytes, owner: os.stat_result) -> None:
    files.replace(path, data, durable=False, mode=0o400)
    os.chown(path, owner.st_uid, owner.st_gid)


def _closed(path: Path, owner: os.stat_result) -> Path | None:
    """The first folder above `path` that a user with the owner's ids cannot enter."""
    for folder in reversed(path.resolve().parents):
        found = folder.stat()
        bit = 0o001
        if found.st_gid == owner.st_gid:
            bit = 0o010
        if found.st_uid == owner.st_uid:
            bit = 0o100
        if not found.st_mode & bit:
            return folder
    return None


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

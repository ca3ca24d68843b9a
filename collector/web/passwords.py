"""The file of those who may log in: a line a user, `name:district:scrypt$N$r$p$salt$hash`.

`*` as the district is the whole city. The file is replaced whole and readable by its owner alone.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import threading
from pathlib import Path
from typing import NamedTuple

from agent.common import textfile
from agent.common.command_line import RefusedError
from agent.common.files import replace
from agent.common.language import say

WHOLE_CITY = "*"
#: Fewer characters are guessed.
SHORTEST = 10
_LONGEST = 1024  # of what is typed: hashing a book would take the server's time
_N, _R, _P = 2**14, 8, 1
_MEMORY = 64 * 2**20
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_DISTRICT = re.compile(r"\*|[0-9]{6}")
_ONE_AT_A_TIME = threading.Lock()  # each hash takes 16 MB


class User(NamedTuple):
    """Somebody who may log in."""

    name: str
    district: str  # code, or WHOLE_CITY
    hashed: str


def read(path: Path) -> dict[str, User]:
    """The users by name.

    Raises:
        RefusedError: the file cannot be read, or a line of it is none of ours.
    """
    try:
        lines = textfile.read(path).splitlines()
    except (OSError, textfile.TextFileError) as error:
        raise RefusedError(_unreadable(path, str(error))) from error
    users = [_user(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not users:
        raise RefusedError(_unreadable(path, say("没有用户", "no user in it")))
    return {user.name: user for user in users}


def _user(path: Path, number: int, line: str) -> User:
    parts = line.strip().split(":")
    good = len(parts) == 3 and _NAME.fullmatch(parts[0]) and _DISTRICT.fullmatch(parts[1])
    if not good or len(parts[2].split("$")) != 6:
        raise RefusedError(_unreadable(path, say(f"第 {number} 行不对", f"line {number} is wrong")))
    return User(*parts)


def _unreadable(path: Path, why: str) -> str:
    return say(
        f"{path}: {why}；用 schoolpulse web --new-password 重新生成",
        f"{path}: {why}; make it with schoolpulse web --new-password",
    )


def add(path: Path, name: str, district: str, password: str) -> None:
    """Add a user, or give one a new password.

    Raises:
        RefusedError: the name, district or password cannot be used, or the file is none of ours.
        OSError: it cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise RefusedError(say(f"用户名 {name!r} 只能用字母、数字和 . _ @ -",
                               f"user {name!r}: letters, digits and . _ @ - only"))  # fmt: skip
    if not _DISTRICT.fullmatch(district):
        raise RefusedError(say(f"区县 {district!r} 要写 6 位代码，全市写 *",
                               f"district {district!r}: 6 digits, or * for the city"))  # fmt: skip
    if not SHORTEST <= len(password) <= _LONGEST:
        raise RefusedError(say(f"密码要有 {SHORTEST} 到 {_LONGEST} 个字符",
                               f"a password has {SHORTEST} to {_LONGEST} characters"))  # fmt: skip
    users = read(path) if path.exists() and path.stat().st_size else {}
    users[name] = User(name, district, _hashed(password))
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{':'.join(user)}\n" for user in users.values())
    replace(path, text.encode(), mode=0o600)


def _hashed(password: str) -> str:
    salt = os.urandom(16)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${_scrypt(password, salt, _N, _R, _P).hex()}"


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    text = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(text, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


#: What an unknown user is compared with: the answer takes as long as for a known one.
_NOBODY = User("", "", f"scrypt${_N}${_R}${_P}${'00' * 16}${'00' * 32}")


def check(users: dict[str, User], name: str, password: str) -> User | None:
    """The user whose password this is, else None."""
    user = users.get(name, _NOBODY)
    _, n, r, p, salt, wanted = user.hashed.split("$")
    with _ONE_AT_A_TIME:
        found = _scrypt(password[:_LONGEST], bytes.fromhex(salt), int(n), int(r), int(p))
    right = hmac.compare_digest(found.hex(), wanted)
    return user if right and user is not _NOBODY else None

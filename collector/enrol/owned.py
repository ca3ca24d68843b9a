"""Files of the city's secrets: whole or absent, and readable by those alone who need them."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from agent.common import files, ownership

#: The user of the city's services, and the broker's; the group that may read the line keys.
SERVICE, BROKER, KEYS = "schoolpulse", "mosquitto", "schoolpulse-keys"
#: Of HiveMQ's own unit.
_HIVEMQ = "hivemq"


class Kind(NamedTuple):
    """Who owns a file, and who may do what with it; no owner: whoever makes it."""

    mode: int
    owner: str = ""
    group: str = ""  # the owner's own, where it is empty or there is no such group


OPEN = Kind(0o644)  # certificates and settings
SECRET = Kind(0o400, SERVICE)
SHARED = Kind(0o640, SERVICE)
ROOT_ONLY = Kind(0o400)
BROKERS = Kind(0o400, BROKER)
HIVEMQS = Kind(0o600, _HIVEMQ)
LINE_KEY, LINE_KEYS = Kind(0o640, SERVICE, KEYS), Kind(0o2750, SERVICE, KEYS)


def password_kind(service: str) -> Kind:
    """Who reads a service's password. Units are given copies by systemd; what runs as another user
    than the collector, or may change accounts, is not to be read by the collector."""
    return ROOT_ONLY if service in ("admin", "lineserver") else SECRET


@contextmanager
def private() -> Iterator[None]:
    """What is made within the block is nobody else's until its mode is set."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def put(path: Path, data: bytes, kind: Kind, *, durable: bool = True) -> bool:
    """Bring a file to this content, mode and owner; whether anything was to do.

    Raises:
        OSError: the file is as it was.
    """
    if holds(path, data):
        return protect(path, kind)
    files.replace(path, data, durable=durable, mode=kind.mode)
    protect(path, kind)
    return True


def holds(path: Path, data: bytes) -> bool:
    """Whether the file has exactly this content. Raises OSError where it cannot be read."""
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False


def folder(path: Path, kind: Kind) -> bool:
    """Make a folder of this mode and owner, or bring it there; whether anything was to do."""
    made = not path.is_dir()
    if made:
        ownership.make_folder(path)
    return protect(path, kind) or made


def protect(path: Path, kind: Kind) -> bool:
    """Set mode and owner where they differ; whether they did.

    Raises:
        OSError: they could not be set, or a link stands there that another than root or we made:
            the services own some of these folders, and must not be given what they point us to.
    """
    return ownership.set_rights(path, _account(kind), kind.mode)


def fault(path: Path, kind: Kind) -> str:
    """Why the file's rights are wrong, as `0644 root`; empty where they are right or none is there.

    Fewer rights than `kind` are no fault: services read through their unit's credentials.
    """
    try:
        found = path.stat()
    except OSError:
        return ""
    account = _account(kind)
    foreign = account is not None and found.st_uid not in (0, account[0])
    if (found.st_mode & 0o7777) & ~kind.mode or foreign:
        return f"{found.st_mode & 0o7777:04o} {_user(found.st_uid)}"
    return ""


def unreadable(path: Path, kind: Kind) -> str:
    """As `fault`, where its owner to be cannot read it, as it is another's."""
    try:
        if foreign(path, kind):
            found = path.stat()
            return f"{found.st_mode & 0o7777:04o} {_user(found.st_uid)}"
    except OSError:
        pass
    return ""


def foreign(path: Path, kind: Kind) -> bool:
    """Whether what is there belongs to another than `kind` says. Raises OSError."""
    account = _account(kind)
    return account is not None and path.stat().st_uid != account[0]


def _account(kind: Kind) -> tuple[int, int] | None:
    """The numbers of owner and group; None where we may not give files away, or have no such."""
    if not kind.owner or os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(kind.owner)
    except KeyError:
        return None
    try:
        return found.pw_uid, grp.getgrnam(kind.group).gr_gid if kind.group else found.pw_gid
    except KeyError:
        return found.pw_uid, found.pw_gid


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid {number}"

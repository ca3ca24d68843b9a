"""What a backup file says of itself: `manifest.json`, its last entry. Pure."""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal

import msgspec

from agent.common import decoding
from agent.common.command_line import RefusedError
from agent.common.language import say

NAME, TAG = "manifest.json", "manifest.tag"
FORMAT = 1
Kind = Literal["file", "rows", "board"]


class BackupError(RefusedError):
    """The file, or what it is to be made from, cannot be used; the message names the fix."""


class Part(msgspec.Struct, frozen=True):
    """One entry of the file; `sha256` and `size` are those of its bytes as the file holds them."""

    name: str  # place/path with slashes
    kind: Kind
    sha256: str
    size: int
    sealed: bool = False
    mode: int = 0o640
    user: str = ""  # names, as the numbers of another machine mean nothing
    group: str = ""


class Place(msgspec.Struct, frozen=True):
    """A folder as it was: where, and whose."""

    path: str
    mode: int = 0o755
    user: str = ""
    group: str = ""


class Key(msgspec.Struct, frozen=True):
    """How the passphrase becomes a key: scrypt's numbers, and a token that the right key opens."""

    salt: str  # hex
    check: str  # hex
    n: int = 2**16
    r: int = 8
    p: int = 1


class Manifest(msgspec.Struct, frozen=True):
    """The file's contents. `made` is ms since 1970 UTC: what came later is not in it."""

    format: int
    version: str
    made: int
    store: str
    places: dict[str, Place]
    parts: list[Part]
    rows: dict[str, int]  # of each measurement
    settings_file: str = ""  # the part that is collector.toml; empty: there was none
    #: Files of settings that lay elsewhere -> the part that holds them.
    moved: dict[str, str] = {}
    left_out: list[str] = []  # secrets that were not to be in it
    key: Key | None = None

    def kind(self, kind: Kind) -> list[Part]:
        """The parts of a kind, in the order of the file."""
        return [part for part in self.parts if part.kind == kind]


def encode(manifest: Manifest) -> bytes:
    """The entry's bytes."""
    return msgspec.json.format(msgspec.json.encode(manifest))


def decode(data: bytes, file: str, version: str) -> Manifest:
    """The manifest of `file`, which this version can restore.

    Raises:
        BackupError: it is damaged, names a path outside its places, or a later version made it.
    """
    try:
        head = decoding.decode(data, _Head)
        if head.format > FORMAT or _numbers(head.version) > _numbers(version):
            raise BackupError(_newer(file, head.version, version))
        found = decoding.decode(data, Manifest)
    except (msgspec.MsgspecError, ValueError) as error:
        if isinstance(error, BackupError):
            raise
        raise BackupError(_damaged(file, str(error))) from error
    for part in found.parts:
        if not _inside(part.name):
            raise BackupError(_damaged(file, part.name))
    return found


def tag(key: bytes, data: bytes) -> str:
    """What nobody can make for another manifest without the passphrase."""
    return hmac.new(key, b"schoolpulse backup manifest" + data, hashlib.sha256).hexdigest()


class _Head(msgspec.Struct):
    format: int
    version: str


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("+")[0].split(".") if part.isdigit())


def _inside(name: str) -> bool:
    """Whether it is place/path: relative, and nowhere above its place."""
    parts = name.split("/")
    return len(parts) > 1 and not {"", ".", ".."} & set(parts) and not {"\\", "\0"} & set(name)


def _newer(file: str, made: str, ours: str) -> str:
    return say(
        f"{file}: 是 {made} 版备份的，本机是 {ours}：先升级本机",
        f"{file}: was made by version {made}, this is {ours}: upgrade first",
    )


def _damaged(file: str, why: str) -> str:
    return say(
        f"{file}: 备份的清单不能用（{why}）：用另一份备份",
        f"{file}: its manifest cannot be used ({why}): take another backup",
    )

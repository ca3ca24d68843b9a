"""New versions of the agent: the signed manifest, and who is offered which version. Pure.

The manifest says what exists and what was withdrawn; only the holder of the release key can write
one. The policy says which version of it a school's PCs are to have: a stage can be stopped at once,
by the collector itself, without that key.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

from agent.common import decoding

#: What is signed is this line and the manifest's bytes: a signature of ours is of nothing else.
DOMAIN = b"schoolpulse release manifest 1\n"
MAX_MANIFEST = 256 * 1024
MAX_FILE = 500_000_000
MANIFEST_PATH = "/releases/manifest.json"

_VERSION = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){1,3}", re.ASCII)
Version = Annotated[str, Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){1,3}$", max_length=27)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Platform = Literal["linux", "windows"]
_Ms = Annotated[int, Meta(ge=0, le=4_102_444_800_000)]


class ReleaseOffer(Struct, omit_defaults=True, frozen=True):
    """A version that the school's PCs are to have; of several the first that is meant for a PC."""

    version: Version
    manifest: Annotated[str, Meta(max_length=256)]  # its address
    percent: Annotated[int, Meta(ge=1, le=100)] = 100  # of the PCs, by `is_chosen`


class ReleaseFile(Struct, frozen=True, omit_defaults=True):
    """One file of a version, for one system."""

    version: Version
    platform: Platform
    sha256: Sha256
    size: Annotated[int, Meta(ge=1, le=MAX_FILE)]  # bytes
    name: Annotated[str, Meta(max_length=128)] = ""
    not_before: _Ms = 0  # ms since 1970 UTC


class Manifest(Struct, frozen=True, omit_defaults=True):
    """All versions there are. `serial` only grows: an older manifest is a replayed one."""

    v: Literal[1]
    serial: Annotated[int, Meta(ge=1, le=2**53)]
    files: Annotated[tuple[ReleaseFile, ...], Meta(max_length=500)] = ()
    withdrawn: Annotated[tuple[Version, ...], Meta(max_length=500)] = ()


class Signed(Struct, frozen=True):
    """The manifest as it is handed out: the signature is of `DOMAIN` and these very bytes."""

    manifest: Annotated[str, Meta(max_length=MAX_MANIFEST)]
    signature: Annotated[str, Meta(pattern="^[0-9a-f]{128}$", max_length=128)]


def signed_bytes(manifest: str) -> bytes:
    """What the signature of a manifest's text is made of."""
    return DOMAIN + manifest.encode()


def numbers(version: str) -> tuple[int, ...]:
    """The version as numbers, to compare; 0.2 and 0.2.0 are one.

    Raises:
        ValueError: it is none.
    """
    if not _VERSION.fullmatch(version):
        raise ValueError(f"no version: {version!r}")
    found = [int(part) for part in version.split(".")]
    return tuple(found + [0] * (4 - len(found)))


def is_chosen(machine: str, version: str, percent: int) -> bool:
    """Whether a PC is of the share: the same PCs each time, others with each version.

    A larger share includes the smaller one.
    """
    digest = hashlib.blake2b(f"{version}/{machine}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) < percent * 2**64 // 100


def offer_for(offers: tuple[ReleaseOffer, ...], machine: str) -> ReleaseOffer | None:
    """The offer that is meant for a PC."""
    return next((one for one in offers if is_chosen(machine, one.version, one.percent)), None)


def read_signed(data: bytes) -> Signed:
    """Decode what a server sent; raises msgspec.DecodeError where it is no signed manifest."""
    return decoding.decode(data, Signed)


def read_manifest(signed: Signed) -> Manifest:
    """Decode the manifest whose signature was checked; raises msgspec.DecodeError."""
    return decoding.decode(signed.manifest.encode(), Manifest)

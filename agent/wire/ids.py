"""Identifiers that agent and collector must derive in the same way."""

from __future__ import annotations

import hashlib
import secrets

#: Nanoseconds in a millisecond: the last six digits of a point's time hold a hash.
_SPREAD = 1_000_000


def new_boot() -> str:
    """16 random hex digits (64 bits), drawn at each start of an agent."""
    return secrets.token_hex(8)


def point_time(sealed_ms: int, boot: str, number: int) -> int:
    """The time of a report's points, in ns since 1970 UTC.

    The sealed millisecond, and in the last six digits a hash of boot and number: a report that
    arrives twice has the same time, and two reports of one millisecond have different ones.
    """
    digest = hashlib.blake2b(f"{boot}/{number}".encode(), digest_size=8).digest()
    return sealed_ms * _SPREAD + int.from_bytes(digest) % _SPREAD


def device_id(machine: str, kind: str, connector: str) -> str:
    """The `device` tag: a hash of machine, kind and connector, 16 hex digits.

    Serials are left out, because many displays share theirs.
    """
    text = "\0".join((machine, kind, connector))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

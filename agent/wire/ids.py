"""Identifiers that both sides must derive alike."""

from __future__ import annotations

import hashlib
import secrets

#: A point's last six digits of nanoseconds tell apart reports of one millisecond.
_SPREAD = 1_000_000


def new_boot() -> str:
    """A random 64-bit hex, drawn at each start of an agent."""
    return secrets.token_hex(8)


def point_time(sealed_ms: int, boot: str, number: int) -> int:
    """The time of a report's points, in ns since 1970 UTC.

    The sealed millisecond, then a hash of boot and number in the last six digits: the same
    report always lands on the same point, and two reports of one millisecond do not collide.
    """
    digest = hashlib.blake2b(f"{boot}/{number}".encode(), digest_size=8).digest()
    return sealed_ms * _SPREAD + int.from_bytes(digest) % _SPREAD


def device_id(machine: str, kind: str, connector: str) -> str:
    """The `device` tag: 16 hex digits over machine, kind and connector.

    No serial in it: too many displays share theirs.
    """
    text = "\0".join((machine, kind, connector))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

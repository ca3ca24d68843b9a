"""New credentials for a machine, and the short name of a CA file."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Annotated

from msgspec import Meta, Struct

#: Of a school's credentials; 1 is the first.
Generation = Annotated[int, Meta(ge=1, le=2**31 - 1)]
#: What a hello says: 0 for a bundle that does not know its generation.
SaidGeneration = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Secret = Annotated[str, Meta(max_length=256)]
#: One PEM file with a few certificates.
Pem = Annotated[str, Meta(max_length=65536)]
CaDigest = Annotated[str, Meta(max_length=16)]

_BLOCK = re.compile(
    r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----", re.ASCII
)


class Renewal(Struct, omit_defaults=True, frozen=True):
    """A school's next credentials; sent on a machine's own receipt topic, never retained."""

    generation: Generation
    username: Secret
    password: Secret
    line_key: Secret
    ca: Pem  # PEM; may hold the present and the next certificate
    source_key: Secret = ""  # empty: keep the one that is installed

    def __repr__(self) -> str:
        """Without secrets: a log or a traceback may print it."""
        return f"Renewal(generation={self.generation}, username={self.username!r})"


def certificates(pem: str) -> tuple[bytes, ...]:
    """The certificates of a PEM text as DER, in its order; blocks that are no base64 left out."""
    return tuple(der for block in _BLOCK.findall(pem) if (der := _decoded(block)))


def ca_digest(pem: str) -> str:
    """16 hex digits that name the set of certificates; empty where there is none.

    Line ends, comments and the order of the certificates make no difference.
    """
    found = sorted(set(certificates(pem)))
    if not found:
        return ""
    digest = hashlib.blake2b(digest_size=8)
    for der in found:
        digest.update(hashlib.blake2b(der).digest())
    return digest.hexdigest()


def school_of(username: str) -> str:
    """The school that a broker account belongs to: `9963020001-2` is `9963020001`'s second."""
    return username.partition("-")[0]


def _decoded(block: str) -> bytes:
    try:
        return base64.b64decode("".join(block.split()), validate=True)
    except binascii.Error:
        return b""

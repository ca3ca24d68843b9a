"""How an agent shows the measurement server that it holds its school's key.

HMAC-SHA-256 over the request and a nonce that the server gave a moment ago: the key never
travels, a request that was overheard is worth nothing again, and no clock has to be right.
"""

from __future__ import annotations

import hashlib
import hmac

SCHEME = "SchoolPulse"
#: Fewer characters are no key.
MIN_KEY = 32


def mac(key: str, method: str, path: str, nonce: str, body: bytes) -> str:
    """The signature of a request, in hex."""
    text = "\n".join((method, path, nonce, hashlib.sha256(body).hexdigest()))
    return hmac.digest(key.encode(), text.encode(), "sha256").hex()


def header(key: str, school: str, method: str, path: str, nonce: str, body: bytes) -> str:
    """The value of the header Authorization."""
    return f"{SCHEME} {school}:{nonce}:{mac(key, method, path, nonce, body)}"

"""Ed25519: whether a signature is genuine. Verification only, after RFC 8032, section 5.1. Pure.

The agent has no library for it, and needs it once an update. Nothing here is secret, so nothing
needs to take the same time. As most libraries do, it refuses what is not canonical: a scalar of the
group's order or more, and coordinates of the field's prime or more.
"""

from __future__ import annotations

import hashlib

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)  # of -1

#: X, Y, Z, T of extended coordinates: x = X/Z, y = Y/Z, xy = T/Z.
_Point = tuple[int, int, int, int]
_ZERO: _Point = (0, 1, 1, 0)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) of `message` was made with the key of `public_key` (32)."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, commitment = _decoded(public_key), _decoded(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= _ORDER:
        return False
    if _same(_times(8, key), _ZERO):  # of small order: its signatures would fit any message
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % _ORDER
    return _same(_times(scalar, _BASE), _add(commitment, _times(challenge, key)))


def _decoded(data: bytes) -> _Point | None:
    """The point that 32 bytes stand for; None where they stand for none, or not canonically."""
    value = int.from_bytes(data, "little")
    odd, y = value >> 255, value & (2**255 - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and odd):
        return None
    if x & 1 != odd:
        x = _P - x
    return x, y, 1, x * y % _P


def _add(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _P
    b = (one[1] + one[0]) * (other[1] + other[0]) % _P
    c = 2 * one[3] * other[3] * _D % _P
    d = 2 * one[2] * other[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: _Point) -> _Point:
    total = _ZERO
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _same(one: _Point, other: _Point) -> bool:
    x = (one[0] * other[2] - other[0] * one[2]) % _P
    y = (one[1] * other[2] - other[1] * one[2]) % _P
    return x == 0 and y == 0


def _base() -> _Point:
    found = _decoded((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    assert found is not None
    return found


_BASE = _base()

"""Typed JSON that several threads may read at once.

msgspec works out what a type holds when it is first used, and two threads that do so for the same
type at the same time crash the process (seen of 0.22). So that is done under one lock, once for
each type. Decoders that a module makes when it is imported need none of this.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

_T = TypeVar("_T")
_LOCK = threading.Lock()
_made: dict[Any, msgspec.json.Decoder[Any]] = {}


def decode(data: bytes | str, kind: type[_T]) -> _T:
    """A JSON text as a value of this type.

    Raises:
        msgspec.DecodeError, UnicodeDecodeError: it is no JSON, or of another type.
    """
    found: _T = _decoder(kind).decode(data)
    return found


def convert(value: object, kind: type[_T], *, strict: bool = True) -> _T:
    """What JSON or TOML was read as, as a value of this type.

    Raises:
        msgspec.ValidationError: it is of another type.
    """
    _decoder(kind)
    return msgspec.convert(value, kind, strict=strict)


def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    found = _made.get(kind)
    if found is None:
        with _LOCK:
            found = _made.get(kind)
            if found is None:
                found = _made[kind] = msgspec.json.Decoder(kind)
    return found

"""Bytes to messages and back.

ValueError
├── UnreadableError       can never be read: quarantine it
└── FutureVersionError    a later version of the collector can read it: hold it
"""

from __future__ import annotations

import contextlib
from typing import TypeVar

import msgspec

from agent.common import decoding, log
from agent.wire.messages import VERSION, Message, Policy, Presence, Receipt

#: The largest payload that is sent or decoded, bytes.
MAX_PAYLOAD = 256 * 1024


class UnreadableError(ValueError):
    """The payload can never be read; the message says why."""


class FutureVersionError(ValueError):
    """The payload has a version that this software does not know yet."""


class _Version(msgspec.Struct):
    v: int


_T = TypeVar("_T")
_encoder = msgspec.json.Encoder(order="deterministic")
_version = msgspec.json.Decoder(_Version)
_message = msgspec.json.Decoder(Message)
_receipt = msgspec.json.Decoder(Receipt)
_presence = msgspec.json.Decoder(Presence)
_policy = msgspec.json.Decoder(Policy)


def encode(message: Message | Receipt | Presence | Policy) -> bytes:
    """The message as JSON; equal messages give equal bytes."""
    return _encoder.encode(message)


def decode_message(payload: bytes) -> Message:
    """Decode a report or a hello.

    Raises:
        FutureVersionError: `v` is above our version.
        UnreadableError: not JSON, wrong types or ranges, or too large.
    """
    message: Message = _decode(_message, payload)
    return message


def decode_receipt(payload: bytes) -> Receipt:
    """Decode a receipt; raises as `decode_message`.

    One whose renewal alone is malformed is read without it: what is stored must not be sent again.
    """
    try:
        return _decode(_receipt, payload)
    except UnreadableError as error:
        if (bare := _without_renewal(payload)) is None:
            raise
        log.warning("renewal_unreadable", reason=error)
        return bare


def _without_renewal(payload: bytes) -> Receipt | None:
    if len(payload) > MAX_PAYLOAD or b'"renewal"' not in payload:
        return None
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = msgspec.json.decode(payload)
        if isinstance(found, dict) and found.pop("renewal", None) is not None:
            return decoding.convert(found, Receipt)
    return None


def decode_presence(payload: bytes) -> Presence:
    """Decode a presence; raises as `decode_message`."""
    return _decode(_presence, payload)


def decode_policy(payload: bytes) -> Policy:
    """Decode a policy; raises as `decode_message`."""
    return _decode(_policy, payload)


def _decode(decoder: msgspec.json.Decoder[_T], payload: bytes) -> _T:
    if len(payload) > MAX_PAYLOAD:
        raise UnreadableError(f"{len(payload)} bytes, the limit is {MAX_PAYLOAD}")
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Checked only on failure: decoding every report twice would be expensive for a fleet.
        _check_version(payload)
        raise UnreadableError(str(error)[:300]) from error


def _check_version(payload: bytes) -> None:
    try:
        found = _version.decode(payload).v
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    if found > VERSION:
        raise FutureVersionError(f"version {found}, this software reads {VERSION}")

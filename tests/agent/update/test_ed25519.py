"""Signatures: RFC 8032's vectors, what `cryptography` makes and refuses, and forged ones."""

from __future__ import annotations

import os
import random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.update import ed25519

ORDER = 2**252 + 27742317777372353535851937790883648493
#: RFC 8032, section 7.1: public key, message, signature.
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_the_standards_own_signatures_hold(key: str, message: str, signature: str) -> None:
    words = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature)
    assert ed25519.verify(*words)
    assert not ed25519.verify(words[0], words[1] + b"x", words[2])


def other(key: bytes, message: bytes, signature: bytes) -> bool:
    """What `cryptography` says."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_it_agrees_with_cryptography_on_random_and_changed_input() -> None:
    draw = random.Random(17)
    answers = []
    for _ in range(60):
        private = Ed25519PrivateKey.from_private_bytes(draw.randbytes(32))
        key, message = private.public_key().public_bytes_raw(), draw.randbytes(draw.randrange(200))
        signature = bytearray(private.sign(message))
        answers.append(ed25519.verify(key, message, bytes(signature)))
        place = draw.randrange(512)
        signature[place // 8] ^= 1 << place % 8
        changed = bytes(signature)
        assert ed25519.verify(key, message, changed) == other(key, message, changed)
    assert all(answers)


def test_a_signature_has_one_form() -> None:
    private = Ed25519PrivateKey.generate()
    key, message = private.public_key().public_bytes_raw(), os.urandom(40)
    good = private.sign(message)
    scalar = int.from_bytes(good[32:], "little") + ORDER  # equal modulo the order: malleable
    assert not ed25519.verify(key, message, good[:32] + scalar.to_bytes(32, "little"))
    for length in (0, 63, 65):
        assert not ed25519.verify(key, message, (good + b"\0")[:length])
    assert not ed25519.verify(key[:31], message, good)


@pytest.mark.parametrize(
    "key",
    [
        (1).to_bytes(32, "little"),  # the neutral element
        (0).to_bytes(32, "little"),  # of order 4
        (2**255 - 20).to_bytes(32, "little"),  # of order 2
        (2**255 - 18).to_bytes(32, "little"),  # 1, not canonical
        b"\xff" * 32,
    ],
)
def test_a_key_that_would_fit_any_message_fits_none(key: bytes) -> None:
    neutral = (1).to_bytes(32, "little") + bytes(32)
    assert not ed25519.verify(key, b"anything", neutral)

"""Secrets under a passphrase: scrypt makes the key, AES-256-GCM seals a file in chunks.

Each chunk's nonce holds its number and whether it is the last, and the part's name is bound to
it, so chunks cannot be left out, moved or taken from another part unseen.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from collector.backup.manifest import Key

CHUNK = 1 << 20
_PREFIX, _TAG = 7, 16
_CHECK = b"schoolpulse backup"
_LIMIT = 2**20  # scrypt's n in a file of somebody else's: 1 GiB of memory


class WrongPassphraseError(Exception):
    """The passphrase is not the one of this file, or the file was changed."""


class Sealer:
    """Seals and opens with one key; `key` is kept in the manifest, `secret` nowhere."""

    def __init__(self, passphrase: str, key: Key | None = None) -> None:
        """A new key, or the one that the manifest describes.

        Raises:
            WrongPassphraseError: it is another passphrase.
        """
        made = key or Key(salt=os.urandom(16).hex(), check="")
        if not 2**14 <= made.n <= _LIMIT or (made.r, made.p) != (8, 1):
            raise WrongPassphraseError
        kdf = Scrypt(salt=bytes.fromhex(made.salt), length=32, n=made.n, r=made.r, p=made.p)
        self.secret = kdf.derive(passphrase.encode())
        self._cipher = AESGCM(self.secret)
        if key is None:
            nonce = os.urandom(12)
            check = nonce + self._cipher.encrypt(nonce, _CHECK, b"check")
            made = Key(salt=made.salt, check=check.hex())
        self.key = made
        self._checked()

    def _checked(self) -> None:
        try:
            sealed = bytes.fromhex(self.key.check)
            self._cipher.decrypt(sealed[:12], sealed[12:], b"check")
        except (InvalidTag, ValueError) as error:
            raise WrongPassphraseError from error

    def seal(self, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The sealed bytes of a part of this name."""
        prefix = os.urandom(_PREFIX)
        yield prefix
        for number, last, chunk in _numbered(_even(chunks, CHUNK)):
            yield self._cipher.encrypt(_nonce(prefix, number, last), chunk, name.encode())

    def open(self, name: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The plain bytes of a sealed part.

        Raises:
            WrongPassphraseError: while iterating; it was changed or cut off.
        """
        pieces = _even(chunks, CHUNK + _TAG, first=_PREFIX)
        prefix = next(pieces, b"")
        for number, last, chunk in _numbered(pieces):
            try:
                yield self._cipher.decrypt(_nonce(prefix, number, last), chunk, name.encode())
            except (InvalidTag, ValueError) as error:
                raise WrongPassphraseError from error


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _numbered(chunks: Iterable[bytes]) -> Iterator[tuple[int, bool, bytes]]:
    """Each chunk with its number and whether it is the last; of nothing, one empty chunk."""
    number, held = 0, b""
    for at, chunk in enumerate(chunks):
        if at:
            yield number, False, held
            number += 1
        held = chunk
    yield number, True, held


def _even(chunks: Iterable[bytes], size: int, first: int = 0) -> Iterator[bytes]:
    """The same bytes in pieces of `size`, the last one shorter; before them one of `first`."""
    held, want = bytearray(), first or size
    for chunk in chunks:
        held += chunk
        while len(held) >= want:
            yield bytes(held[:want])
            del held[:want]
            want = size
    if held:
        yield bytes(held)

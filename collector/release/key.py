"""The release key: an Ed25519 key that signs the manifest; it may live on another machine."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from agent.common.command_line import RefusedError
from agent.common.files import replace
from agent.common.language import say
from agent.wire.release import Manifest, Signed, signed_bytes

FILE = "release.key"


def make(path: Path) -> str:
    """Make the key where there is none yet; returns the public key, 64 hex characters.

    Raises:
        RefusedError: it cannot be written, or what is there is no key.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if not path.exists():
        data = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, data, mode=0o600)
        except OSError as error:
            raise RefusedError(f"{path}: {error.strerror or error}") from error
    return public(path)


def public(path: Path) -> str:
    """The public key, as `[update] public_key` of the agents has it. Raises RefusedError."""
    key: str = _key(path).public_key().public_bytes_raw().hex()
    return key


def sign(path: Path, manifest: Manifest) -> bytes:
    """The signed manifest as it is handed out. Raises RefusedError."""
    text = msgspec.json.encode(manifest).decode()
    signature = _key(path).sign(signed_bytes(text)).hex()
    return msgspec.json.encode(Signed(manifest=text, signature=signature))


def settings_row(public_key: str) -> str:
    """What the agents' agent.toml says of it."""
    return f'[update]\npublic_key = "{public_key}"\n'


def _key(path: Path):  # type: ignore[no-untyped-def]  # its module is imported late
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise RefusedError(
                say(
                    f"{path} 别人也能读：chmod 600 {path}",
                    f"{path} can be read by others: chmod 600 {path}",
                )
            )
        found = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError as error:
        raise RefusedError(
            say(
                f"没有发布密钥 {path}：用 schoolpulse release key 生成，或用 --key 指明它在哪里",
                f"no release key {path}: make it by schoolpulse release key, or name it by --key",
            )
        ) from error
    except (OSError, ValueError, TypeError) as error:
        raise RefusedError(
            say(f"{path} 不是发布密钥：{error}", f"{path} is no release key: {error}")
        ) from error
    if not isinstance(found, Ed25519PrivateKey):
        raise RefusedError(say(f"{path} 不是 Ed25519 密钥", f"{path} is no Ed25519 key"))
    return found

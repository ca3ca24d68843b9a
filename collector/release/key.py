"""The release key: an Ed25519 key that signs the manifest; it may live on another machine.

Its public half lies in the data folder, so that bundles can name it wherever the key is.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from agent.common import ownership
from agent.common.command_line import RefusedError
from agent.common.files import replace
from agent.common.language import say
from agent.wire.release import Manifest, Signed, signed_bytes

FILE, PUBLIC = "release.key", "release.pub"


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
            ownership.make_folder(path.parent)
            # Root's is not handed to the service that owns the folder.
            replace(path, data, mode=0o600, given=False)
        except OSError as error:
            raise RefusedError(f"{path}: {error.strerror or error}") from error
    return public(path)


def known(folder: Path) -> str:
    """The city's public key, by the data folder; empty where there is none.

    Raises:
        RefusedError: what is there is no key.
    """
    file = folder / PUBLIC
    try:
        found = file.read_text("ascii").strip()
    except FileNotFoundError:  # of a version that wrote none
        return public(folder / FILE) if (folder / FILE).exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(f"{file}: {error}") from error
    if not re.fullmatch("[0-9a-f]{64}", found):
        raise RefusedError(
            say(
                f"{file} 不是公钥：删掉它，再运行 schoolpulse release key",
                f"{file} is no public key: remove it, then run schoolpulse release key",
            )
        )
    return found


def remember(folder: Path, key: Path, *, instead: bool = False) -> None:
    """Note the public half of `key` as the city's; `instead`: also of another one.

    Raises:
        RefusedError: the city has another key, whose PCs would take nothing that this one signs.
    """
    found, before = public(key), known(folder)
    if before not in ("", found) and not instead:
        raise RefusedError(
            say(
                f"{key} 不是本市的发布密钥，各电脑不认它签的版本：用 --key 指明原来的密钥；"
                "原来的确实没有了，用 schoolpulse release key --replace，再给各校重发配置包",
                f"{key} is not the city's release key, and the PCs take nothing that it signs: name"
                " the former one by --key; if that is lost, use schoolpulse release key --replace,"
                " then give the schools new bundles",
            )
        )
    if before != found or not (folder / PUBLIC).exists():
        try:
            ownership.make_folder(folder)
            replace(folder / PUBLIC, f"{found}\n".encode())
        except OSError as error:
            raise RefusedError(f"{folder / PUBLIC}: {error.strerror or error}") from error


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

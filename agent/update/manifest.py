"""What may be installed: a signed manifest, checked against the key, this PC and the past. Pure."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from agent.update import ed25519
from agent.wire import release
from agent.wire.release import Manifest, ReleaseFile


class NotInstallable(Exception):  # noqa: N818 - what is so, not an error of ours
    """The version is not installed; `code` is one of agent.common.vocabulary.updates.FAILED."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


class Here(NamedTuple):
    """What this PC has and has seen."""

    platform: str
    version: str
    serial: int = 0  # the highest of a manifest that was genuine
    refused: tuple[str, ...] = ()  # versions that were taken back here


def genuine(data: bytes, public_key: str, serial: int) -> Manifest:
    """The manifest in `data`, signed with the key of `public_key` (64 hex), not older than known.

    Raises:
        NotInstallable: it is none of the city's, or an older one is replayed.
    """
    try:
        signed = release.read_signed(data)
        text = release.signed_bytes(signed.manifest)
        good = ed25519.verify(bytes.fromhex(public_key), text, bytes.fromhex(signed.signature))
        if not good:
            raise NotInstallable("signature")
        found = release.read_manifest(signed)
    except (msgspec.DecodeError, UnicodeError, ValueError) as error:
        raise NotInstallable("manifest", str(error)[:100]) from error
    if found.serial < serial:
        raise NotInstallable("replayed", f"{found.serial} < {serial}")
    return found


def wanted(manifest: Manifest, version: str, here: Here, now_ms: int) -> ReleaseFile:
    """The file of `version` for this PC.

    Raises:
        NotInstallable: it was withdrawn, is not newer, not for this system, or not yet.
    """
    asked = release.numbers(version)
    for code, versions in (("withdrawn", manifest.withdrawn), ("rolled_back", here.refused)):
        if any(release.numbers(one) == asked for one in versions):
            raise NotInstallable(code)
    if asked <= release.numbers(here.version):
        raise NotInstallable("not_newer")
    fitting = [one for one in manifest.files if release.numbers(one.version) == asked]
    file = next((one for one in fitting if one.platform == here.platform), None)
    if file is None:
        raise NotInstallable("no_file")
    if file.not_before > now_ms:
        raise NotInstallable("not_yet")
    return file

"""Linux: the service may install nothing, so it leaves a request that root's helper checks anew.

The helper is `agent.update.helper`, started by systemd where `request` appears.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from agent.common import decoding
from agent.common.files import replace

#: In the folder `update` of the agent's data folder; all of it is the service's own to write.
REQUEST, MANIFEST, CONFIRMED = "request", "manifest.json", "confirmed"
#: Root's own: what became of the last installation, for all to read.
ROOT_STATE = Path("/var/lib/schoolpulse-update")
RESULT = "result.json"
PATH_UNIT = Path("/etc/systemd/system/schoolpulse-agent-update.path")


class Request(msgspec.Struct, frozen=True):
    """What the helper is asked for."""

    version: str
    sha256: str


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code` of agent.common.vocabulary.updates.FAILED; empty: installed."""

    version: str
    code: str = ""
    detail: str = ""


class Installer:
    """Asks root's helper."""

    platform = "linux"

    def __init__(self, folder: Path, root: Path = ROOT_STATE, unit: Path = PATH_UNIT) -> None:
        """`folder`: `update` of the data folder."""
        self._folder, self._root, self._unit = folder, root, unit

    def ready(self) -> bool:
        """Whether the helper is installed."""
        return self._unit.exists()

    def install(self, file: Path, manifest: bytes, version: str) -> None:
        """Leave the request. Raises OSError."""
        (self._folder / CONFIRMED).unlink(missing_ok=True)
        replace(self._folder / MANIFEST, manifest)
        request = Request(version=version, sha256=file.name)
        replace(self._folder / REQUEST, msgspec.json.encode(request))

    def confirm(self, version: str) -> None:
        """Tell the helper that this version works. Raises OSError."""
        if self._folder.is_dir():  # else nothing was ever asked for, and nobody waits
            replace(self._folder / CONFIRMED, version.encode())

    def outcome(self, version: str) -> str:
        """Why a version was not installed, or was taken back; empty: not known."""
        try:
            found = decoding.decode((self._root / RESULT).read_bytes(), Result)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return ""
        return found.code if found.version == version else ""

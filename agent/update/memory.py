"""What an agent remembers of updates over its restarts: update/seen.json of its data folder."""

from __future__ import annotations

from pathlib import Path

import msgspec

from agent.common import decoding
from agent.common.files import replace

FOLDER, FILE = "update", "seen.json"
_REFUSED = 50


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """`serial`: the highest of a genuine manifest. `installing`: asked for, its outcome unknown."""

    serial: int = 0
    installing: str = ""
    refused: tuple[str, ...] = ()  # versions that were taken back on this PC


def read(folder: Path) -> Seen:
    """The last state; a new one where there is none, or it cannot be decoded.

    Raises:
        OSError: it cannot be read: then nothing may be installed, as its serial is not known.
    """
    try:
        return decoding.decode((folder / FOLDER / FILE).read_bytes(), Seen)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError, UnicodeDecodeError):
        return Seen()


def write(folder: Path, seen: Seen) -> None:
    """Replace it, on the disk on return. Raises OSError."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    kept = msgspec.structs.replace(seen, refused=seen.refused[-_REFUSED:])
    replace(folder / FOLDER / FILE, msgspec.json.encode(kept) + b"\n")

"""The machine id: a hash of hardware sources, the same at every boot, as root or not.

The id is a hash over every usable source of `SOURCES`. None of them is stored on a disk, so the
id survives a disk that is reset or replaced, and differs between PCs with cloned disks. A PC
with a new main board, or a new built-in network card, counts as a new machine. Values that many
PCs share, such as a factory's "To be filled", are not usable.

On Linux only root may read the firmware's serials. The unit's privileged helper,
`python -m agent.identity`, writes digests of the sources to /run/schoolpulse/hardware.json.
Without that file an ordinary user gets no strong id, because an id of fewer sources would differ
from root's. It gets a weak id instead, made from the system's own id on the disk: clones share
it, so it is no computer-room evidence.

Where no source of `SOURCES` is usable, `LAST_SOURCES` are used: disk serials and the addresses
of Wi-Fi cards. They change when the part is replaced, so they come last, but clones do not share
them. They also help PCs whose `SOURCES` all turn out to be shared: when the collector sees two
boots of one id at once, its policy tells them to leave the shared values out.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from agent.common import decoding
from agent.common.files import replace
from agent.version import VERSION
from agent.windows import System, this_system
from agent.wire import Inventory

#: The names of the hardware sources, as in `exclude`.
SOURCES = ("product_uuid", "product_serial", "board_serial", "macs")
LAST_SOURCES = ("disks", "wifi")
#: Written by the privileged helper; relative to the root.
HARDWARE_FILE = "run/schoolpulse/hardware.json"

#: Values that many PCs share, as `usable` compares them: upper case, no punctuation.
_SHARED = frozenset({
    "03000200040005000006000700080009", "00020003000400050006000700080009",
    "FEFEFEFEFEFEFEFEFEFEFEFEFEFEFEFE", "12345678123456781234567812345678",
    "12345678123412341234123456789ABC", "NOUUIDAVAILABLE", "SYSTEMUUID",
    "TOBEFILLEDBYOEM", "TOBEFILLEDBYOEMOEM", "DEFAULTSTRING", "SERIALNUMBER",
    "SYSTEMSERIALNUMBER", "BASEBOARDSERIALNUMBER", "CHASSISSERIALNUMBER",
    "TYPE1SYSTEMSERIALNUMBER", "TYPE2BOARDSERIALNUMBER", "NOTSPECIFIED", "NOTAPPLICABLE",
    "NOTAVAILABLE", "NONE", "NULL", "UNKNOWN", "INVALID", "EMPTY", "OEMSN",
    "0123456789", "1234567890", "123456789", "12345678", "1234567", "123456",
    "MB1234567890", "BSN1234567890", "BSN12345678901234567",
})  # fmt: skip
_MIN_LENGTH = 4


class Identity(NamedTuple):
    """A machine id of 32 hex digits, the sources it was made of, and whether clones share it.

    `digests` are name=digest (16 hex digits) of each source, keyed by the school's source key, as
    a policy may exclude them; none where there is no key.
    """

    machine: str
    weak: bool
    sources: tuple[str, ...]
    digests: tuple[str, ...] = ()


class _Hardware(msgspec.Struct):
    """The content of the helper's file: digests of the usable sources, by name."""

    v: int
    digests: dict[str, str]


def identify(
    root: Path = Path("/"),
    exclude: Collection[str] = (),
    windows: System | None = None,
    keys: Sequence[bytes] = (),
) -> Identity:
    """The machine id of the system under `root`, without the sources in `exclude`.

    `exclude` holds names, or name=digest for one value of a source, so that PCs with other
    values keep their id. `keys` are the school's source keys, the newest first: digests
    leave the PC by that one; in `exclude` each is understood, and so is a digest of before there
    were keys. The id is the same whatever the keys. Tests pass a fixture tree as `root`, or a
    device tree as `windows`.
    """
    windows = windows or this_system()
    digests = _read_helper_file(root)
    if digests is None:
        digests = _read_digests(root, windows)
    for names in (SOURCES, LAST_SOURCES):
        kept = {name: digests[name] for name in names if name in digests}
        kept = {n: d for n, d in kept.items() if not _names(n, d, keys) & set(exclude)}
        if kept:
            named = tuple(_keyed(*one, keys[0]) for one in kept.items()) if keys else ()
            return Identity(_hash("machine", kept), False, tuple(kept), named)
    name, value = _weak_source(root, windows)
    return Identity(_hash("weak", {name: _digest(value)}), True, (name,))


def _names(name: str, digest: str, keys: Sequence[bytes]) -> set[str]:
    """All that a policy may call this source."""
    return {name, f"{name}={digest[:16]}", *(_keyed(name, digest, key) for key in keys)}


def _keyed(name: str, digest: str, key: bytes) -> str:
    """A plain digest of one source is found by trying all its values: of a MAC in seconds."""
    mac = hmac.new(key, f"{name}={digest}".encode(), "sha256")
    return f"{name}={mac.hexdigest()[:16]}"


def usable(value: str) -> bool:
    """Whether a hardware value identifies a PC: not empty, no filler, not shared by many."""
    plain = re.sub(r"[\s.\-_:/]", "", value).upper()
    return len(plain) >= _MIN_LENGTH and plain not in _SHARED and len(set(plain)) > 1


def inventory(
    root: Path = Path("/"), *, weak: bool = False, room: str = "", windows: System | None = None
) -> Inventory:
    """The inventory of this machine; `weak` and `room` are copied into it."""
    import psutil

    windows = windows or this_system()
    system, place = _system(root, windows)
    facts = system.inventory(place)
    return Inventory(
        hostname=_text(facts.hostname),
        os=_text(facts.os),
        os_version=_text(facts.os_version),
        maker=_text(facts.maker),
        model=_text(facts.model),
        cpu=_text(facts.cpu),
        cores=psutil.cpu_count(),
        memory_bytes=psutil.virtual_memory().total,
        disk_bytes=psutil.disk_usage(os.path.abspath(os.sep)).total,
        firmware_date=iso_date(facts.firmware_date),
        agent_version=VERSION,
        weak_id=weak,
        room=room,
        serial=_text(facts.serial) if usable(facts.serial) else "",
        disks=tuple(map(_text, facts.disks)),
    )


def iso_date(text: str) -> str:
    """A firmware's MM/DD/YYYY or MM/DD/YY as YYYY-MM-DD; any other text unchanged."""
    match = re.fullmatch(r"(\d{2})/(\d{2})/(\d{2}|\d{4})", text.strip())
    if match is None:
        return _text(text)
    month, day, year = match.groups()
    century = "" if len(year) == 4 else "19" if int(year) >= 80 else "20"
    return f"{century}{year}-{month}-{day}"


def write_hardware(root: Path = Path("/")) -> Path:
    """Write the digests for the service to read; run by the privileged helper.

    Digests and not serials, because every user of the PC can read the file.

    Raises:
        OSError: the file cannot be written.
    """
    path = root / HARDWARE_FILE
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    content = msgspec.json.encode(_Hardware(1, _read_digests(root, this_system())))
    replace(path, content, durable=False)  # /run does not outlive a power cut
    return path


def _read_helper_file(root: Path) -> dict[str, str] | None:
    try:
        found = decoding.decode((root / HARDWARE_FILE).read_bytes(), _Hardware)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found.digests if found.v == 1 else None


def _read_digests(root: Path, windows: System | None) -> dict[str, str]:
    """Digests of the usable sources; empty where this user may not read one of them."""
    system, place = _system(root, windows)
    values = {
        name: value for name, value in (system.hardware(place) or {}).items() if usable(value)
    }
    return {name: _digest(_plain(value)) for name, value in values.items()}


def _weak_source(root: Path, windows: System | None) -> tuple[str, str]:
    system, place = _system(root, windows)
    found: tuple[str, str] | None = system.weak(place)
    if found:
        return found
    import socket

    return "hostname", socket.gethostname()


def _system(root: Path, windows: System | None) -> tuple[Any, Path | System]:
    """The module that knows this system, loaded on no other, and where it reads."""
    if windows is not None:
        from agent.identity import windows as identity_windows

        return identity_windows, windows
    from agent.identity import linux

    return linux, root


def _plain(value: str) -> str:
    return value.strip().upper()


def _digest(value: str) -> str:
    return hashlib.blake2b(value.encode(), digest_size=16, person=b"schoolpulse").hexdigest()


def _hash(kind: str, digests: Mapping[str, str]) -> str:
    text = "\n".join([kind, *(f"{name}={digests[name]}" for name in sorted(digests))])
    return _digest(text)


def _text(value: str) -> str:
    return " ".join(value.split())[:256]

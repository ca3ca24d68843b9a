"""Who may do what with a file, in Windows' own notation (SDDL; Microsoft, "SDDL"). Pure.

`O:BAD:P(A;OICI;FA;;;SY)`: the owner; the DACL, protected from inheritance; its entries, each as
type, flags, rights, two GUIDs and whom it is for.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

SYSTEM, ADMINISTRATORS, CREATOR = "SY", "BA", "CO"
_INSTALLER = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
#: Wine's one user, who is its administrator; no account of a Windows has this SID.
_WINE = "S-1-5-21-0-0-0-1000"
#: Who may change a program anyway: the system, administrators (local, domain, enterprise).
_TRUSTED = {
    SYSTEM, ADMINISTRATORS, "LA", "DA", "EA", _INSTALLER, "S-1-5-18", "S-1-5-32-544", _WINE,
}  # fmt: skip

#: What counts as reading and as changing: data, deletion, rights and owner; generic rights.
READ = 0x1 | 0x80000000 | 0x10000000
CHANGE = 0x2 | 0x4 | 0x40 | 0x10000 | 0x40000 | 0x80000 | 0x40000000 | 0x10000000
#: To read a file; to work in a folder, all but changing its rights or owner.
_READS, _WORKS = 0x120089, 0x1301BF
#: The same for the folder itself: whoever may delete it may put another in its place.
_KEEPS = _WORKS & ~0x10000
_RUNS = 0x1200A9  # to read and run
_CODES = {
    "FA": 0x1F01FF, "FR": 0x120089, "FW": 0x120116, "FX": 0x1200A0,
    "GA": 0x10000000, "GR": 0x80000000, "GW": 0x40000000, "GX": 0x20000000,
    "RC": 0x20000, "SD": 0x10000, "WD": 0x40000, "WO": 0x80000,
    "CC": 0x1, "DC": 0x2, "LC": 0x4, "SW": 0x8, "RP": 0x10, "WP": 0x20, "DT": 0x40, "LO": 0x80,
    "CR": 0x100,
}  # fmt: skip
_DACL = re.compile(r"D:([A-Z]*)((?:\([^)]*\))*)")


class Entry(NamedTuple):
    """One entry that allows something."""

    flags: str
    rights: int
    who: str  # a SID, or its two letters


def service_sid(name: str) -> str:
    """The SID of the account that Windows gives to the service `name` (NT SERVICE\\name)."""
    digest = hashlib.sha1(name.upper().encode("utf-16-le"), usedforsecurity=False).digest()
    return "S-1-5-80-" + "-".join(map(str, struct.unpack("<5I", digest)))


def folder(service: str) -> str:
    """For the data folder: the system, administrators and the service's account, nobody else."""
    return f"D:P{_ours('OICI')}{_works(service)}"


def _works(service: str) -> str:
    sid = service_sid(service)
    return f"(A;OICIIO;{_WORKS:#x};;;{sid})(A;;{_KEEPS:#x};;;{sid})"


def secret(service: str) -> str:
    """For a secret, or settings: the same, but the service's account reads only."""
    return f"D:P{_ours('')}(A;;{_READS:#x};;;{service_sid(service)})"


def program() -> str:
    """For a folder of programs: the system and administrators change it, users read and run it."""
    return f"D:P{_ours('OICI')}(A;OICI;{_RUNS:#x};;;BU)"


def closed() -> str:
    """For the system and administrators alone."""
    return f"D:P{_ours('OICI')}"


def granted(present: str, service: str) -> str:
    """The DACL of a folder that others use too, with the service's account added."""
    found = _DACL.search(present)
    kept = [one for one in re.findall(r"\([^)]*\)", found[2] if found else "") if not _given(one)]
    sid = service_sid(service)
    own = [one for one in kept if not one.endswith(f";{sid})")]
    return f"D:{''.join(own)}{_works(service)}"


def others(text: str, wanted: int, *trusted: str) -> list[str]:
    """Whom the DACL lets do anything of `wanted`, besides administrators and `trusted`.

    `["everybody"]` where there is no DACL at all.
    """
    found = _DACL.search(text)
    if found is None or "NO_ACCESS_CONTROL" in text:
        return ["everybody"]
    known = _TRUSTED | set(trusted)
    return [
        entry.who
        for entry in _entries(found[2])
        if entry.rights & wanted and entry.who not in known and "IO" not in entry.flags
    ]


def allowed(text: str, who: str) -> int:
    """All rights that the DACL gives to `who` by name."""
    found, rights = _DACL.search(text), 0
    for entry in _entries(found[2] if found else ""):
        rights |= entry.rights if entry.who == who else 0
    return rights


def named(text: str) -> set[str]:
    """All that the DACL allows something."""
    found = _DACL.search(text)
    return {entry.who for entry in _entries(found[2] if found else "")}


def _ours(flags: str) -> str:
    return "".join(f"(A;{flags};FA;;;{who})" for who in (SYSTEM, ADMINISTRATORS))


def _given(entry: str) -> bool:
    """Whether it is inherited: Windows adds it again."""
    return "ID" in entry.split(";")[1]


def _entries(text: str) -> Iterator[Entry]:
    for kind, flags, rights, _, _, who in re.findall(
        r"\(([^;)]*);([^;)]*);([^;)]*);([^;)]*);([^;)]*);([^;)]*)", text
    ):
        if kind in ("A", "XA", "OA"):
            yield Entry(flags, _mask(rights), who)


def _mask(rights: str) -> int:
    if rights.startswith("0x"):
        return int(rights, 16)
    mask = 0
    for code in re.findall("..", rights):
        mask |= _CODES.get(code, 0)
    return mask

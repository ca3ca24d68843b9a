"""DisplayID sections in an EDID's extensions (VESA DisplayID 1.3 and 2.0). Never raises."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from agent.probes import device_text

TAG = 0x70
_HEAD = 5  # of the extension: tag, version, length, product type, count of extensions
_PRODUCT, _PARAMETERS = (0x00, 0x20), (0x01, 0x21)  # in version 1, in version 2


class Section(NamedTuple):
    """The facts in a section; empty or None where it lacks them."""

    name: str = ""
    width_cm: int | None = None
    height_cm: int | None = None
    notes: tuple[str, ...] = ()


def parse(block: bytes) -> Section:
    """Read one extension block of 128 bytes that begins with `TAG`."""
    end = _HEAD + block[2]
    if end + 1 > len(block) - 1:
        return Section(notes=("displayid_too_long",))
    notes = () if sum(block[1 : end + 1]) % 256 == 0 else ("displayid_checksum",)
    name = ""
    size: tuple[int | None, int | None] = (None, None)
    for tag, revision, payload in _blocks(block[_HEAD:end]):
        if tag in _PRODUCT:
            name = name or _name(payload)
        elif tag in _PARAMETERS and len(payload) >= 4:
            size = _size(payload, coarse=tag == _PARAMETERS[1] and bool(revision & 0x80))
    return Section(name, *size, notes)


def _blocks(payload: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Tag, revision and payload of each data block, up to one that exceeds the section."""
    place = 0
    while place + 3 <= len(payload):
        tag, revision, length = payload[place : place + 3]
        if (tag, revision, length) == (0, 0, 0) or place + 3 + length > len(payload):
            return
        yield tag, revision, payload[place + 3 : place + 3 + length]
        place += 3 + length


def _name(payload: bytes) -> str:
    """The product name: its length is at byte 11, after maker, code, serial and date."""
    if len(payload) < 12:
        return ""
    return device_text.decoded(payload[12 : 12 + payload[11]])[0]


def _size(payload: bytes, *, coarse: bool) -> tuple[int | None, int | None]:
    """Width and height in cm, from tenths of a millimetre, or millimetres if `coarse`."""
    wide, high = struct.unpack_from("<HH", payload)
    per_cm = 10 if coarse else 100
    return (round(wide / per_cm), round(high / per_cm)) if wide and high else (None, None)

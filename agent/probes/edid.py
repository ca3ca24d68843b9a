"""Decodes a display's EDID, 1.0 to 1.4 (VESA E-EDID Release A, Revision 2).

Never raises: what cannot be decoded becomes a note, and the rest is still reported.

Why not a library: pyedid 1.0.3 (2023), the only one for Python, costs 13.8 MB of memory on import
(it loads requests, to download the list of makers), keeps placeholder serials and sizes, prefers
an empty name to the real one, and does not support DisplayID. edid-decode is a program to start;
libdisplay-info needs a C library on every PC. Both cut a name at the first byte that is not
ASCII, while Chinese displays use GBK. For 42 real displays every fact agrees with edid-decode,
except those names.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from typing import Literal, NamedTuple

from agent.probes import displayid
from agent.wire.messages import Device, Power

Kind = Literal["display", "monitor", "projector", "panel", "tv"]

_HEADER = b"\x00\xff\xff\xff\xff\xff\xff\x00"
_BLOCK = 128
_DESCRIPTORS = range(54, 126, 18)
_NAME, _TEXT, _SERIAL = 0xFC, 0xFE, 0xFF

#: Placeholder sizes in cm that makers of boards use for every display.
_FILLER_SIZES = frozenset({
    (160, 90), (160, 100), (122, 68), (115, 65), (120, 90), (1, 1), (16, 9), (16, 10), (4, 3),
})  # fmt: skip
#: Serial numbers and texts found on hundreds of displays.
_FILLER_NUMBERS = frozenset({0x01010101, 0x01000E00, 0xFFFFFFFF, 0x00005445})
_FILLER_TEXTS = frozenset({"H1AK500000", "0800001FC", "0123456789", "123456789", "1234567890123"})
#: Smaller serial numbers are batch counters or constants: 1, 1536, 9999.
_MIN_NUMBER = 10_000
#: PNP ids used only by interactive panels and their boards.
_PANEL_MAKERS = frozenset({"SBI", "PRW", "HHT"})
#: Displays up to this width are monitors, cm (34 inches at 16:9 are 75 cm).
_MONITOR_CM = 75


class Edid(NamedTuple):
    """The facts in an EDID; empty or None where it lacks them, or has placeholders."""

    maker: str = ""  # PNP id, three letters
    product: int | None = None
    name: str = ""
    text: str = ""  # panels for laptops have this instead of a name
    serial: str = ""  # only if it is no placeholder
    width_cm: int | None = None
    height_cm: int | None = None
    notes: tuple[str, ...] = ()
    year: int | None = None  # of manufacture, or of the model
    number: int = 0  # the serial number of the base block, fillers too
    week: int | None = None  # of manufacture

    @property
    def model(self) -> str:
        """Maker and product code, as BNQ1C02; empty where the EDID could not be read."""
        return "" if self.product is None else f"{self.maker or '???'}{self.product:04X}"

    @property
    def kind(self) -> Kind:
        """The kind of an external display by name, maker and size; else `display`."""
        words = re.split(r"[^A-Z]+", self.name.upper())
        if {"PJ", "PROJECTOR", "PRJ"} & set(words) or "投影" in self.name:
            return "projector"
        if self.maker in _PANEL_MAKERS:
            return "panel"
        if "TV" in words and self.maker != "CVT":  # CVTE's boards are in TVs and panels alike
            return "tv"
        return "monitor" if self.width_cm and self.width_cm <= _MONITOR_CM else "display"


@lru_cache(maxsize=16)  # read twice a minute, and always the same
def parse(data: bytes) -> Edid:
    """Read an EDID with its extensions."""
    if len(data) < _BLOCK:
        said = f"edid_truncated={len(data)}/{_BLOCK}" if data else "no_edid"
        return Edid(notes=(said,))
    base = data[:_BLOCK]
    if base[:8] != _HEADER:
        return Edid(notes=("no_edid_header",))
    notes = list(_checks(data))
    maker = _maker(base, notes)
    texts = _texts(base, notes)
    section = _displayid(data, notes)
    width, height = _size(base)
    if width is None and (section.width_cm, section.height_cm) not in _FILLER_SIZES:
        width, height = section.width_cm, section.height_cm
    return Edid(
        maker=maker,
        product=struct.unpack_from("<H", base, 10)[0],
        name=texts[_NAME] or section.name,
        text=texts[_TEXT],
        serial=_serial(base, texts[_SERIAL]),
        width_cm=width,
        height_cm=height,
        notes=tuple(notes),
        number=struct.unpack_from("<I", base, 12)[0],
        week=base[16] if 1 <= base[16] <= 54 else None,
        year=base[17] + 1990 if base[17] else None,
    )


def reading(
    found: Edid, *, connector: str, connection: str, internal: bool, power: Power = "unknown"
) -> Device:
    """A display as a reading."""
    return Device(
        kind="screen" if internal else found.kind,
        connector=connector[:256],
        power=power,
        name=found.name or found.text,
        maker=found.maker,
        model=found.model,
        serial=found.serial,
        width_cm=found.width_cm,
        height_cm=found.height_cm,
        note="; ".join(found.notes)[:256],
        connection="internal" if internal else connection,
        year=found.year,
        serial_number=str(found.number) if found.number else "",
        week=found.week,
    )


def _displayid(data: bytes, notes: list[str]) -> displayid.Section:
    """The first DisplayID section among the complete extensions."""
    for start in range(_BLOCK, len(data) - _BLOCK + 1, _BLOCK):
        if data[start] == displayid.TAG and start // _BLOCK <= data[126]:
            section = displayid.parse(data[start : start + _BLOCK])
            notes += section.notes
            return section
    return displayid.Section()


def _checks(data: bytes) -> list[str]:
    """Notes on wrong checksums and missing extensions."""
    blocks = [data[i : i + _BLOCK] for i in range(0, len(data), _BLOCK)]
    notes = []
    if sum(blocks[0]) % 256:
        notes.append("edid_checksum")
    declared = blocks[0][126]
    whole = [block for block in blocks[1:] if len(block) == _BLOCK]
    if len(whole) < declared:
        notes.append(f"edid_extensions={declared}/{len(whole)}")
    # Bytes after the declared extensions are not the display's: a reader wrapped around.
    for number, block in enumerate(whole[:declared], 1):
        if sum(block) % 256:
            notes.append(f"edid_extension_checksum={number}")
    return notes


def _maker(base: bytes, notes: list[str]) -> str:
    """Three letters of five bits each; the top bit is reserved and ignored."""
    packed = struct.unpack_from(">H", base, 8)[0]
    values = [(packed >> shift) & 0x1F for shift in (10, 5, 0)]
    if not all(1 <= value <= 26 for value in values):
        notes.append(f"edid_maker={packed:04x}")
        return ""
    return "".join(chr(ord("A") - 1 + value) for value in values)


def _size(base: bytes) -> tuple[int | None, int | None]:
    """Width and height in cm; None where one is 0, as the other is an aspect ratio then."""
    size = base[21], base[22]
    return (None, None) if 0 in size or size in _FILLER_SIZES else size


def _texts(base: bytes, notes: list[str]) -> dict[int, str]:
    """The first text of each kind of descriptor that is not empty; panel texts are joined."""
    found = {_NAME: "", _SERIAL: "", _TEXT: ""}
    for place in _DESCRIPTORS:
        tag = base[place + 3]
        if base[place : place + 3] != b"\0\0\0" or tag not in found:
            continue
        text = _text(base[place + 5 : place + 18])
        if text is None:
            notes.append(f"edid_text={tag:02x}")
        elif tag == _TEXT:
            found[tag] = f"{found[tag]} {text}".strip()
        else:
            found[tag] = found[tag] or text
    return found


def _text(raw: bytes) -> str | None:
    """A descriptor's text, in ASCII or GBK; None where it is neither."""
    raw = raw.partition(b"\n")[0].rstrip(b"\0 ")
    for cut in (raw, raw[:-1]):  # the last byte may be half of a GBK character
        try:
            text = cut.decode("gbk")
        except UnicodeDecodeError:
            continue
        return "".join(char for char in text if char.isprintable()).strip()
    return None


def _serial(base: bytes, text: str) -> str:
    """The text serial, else the serial number; empty where both are placeholders."""
    if len(text) >= 4 and len(set(text)) > 1 and text not in _FILLER_TEXTS:
        return text
    number = struct.unpack_from("<I", base, 12)[0]
    usable = number >= _MIN_NUMBER and number not in _FILLER_NUMBERS
    return str(number) if usable and len(set(base[12:16])) > 1 else ""

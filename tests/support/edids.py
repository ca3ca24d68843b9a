"""EDIDs that the tests build: right in every byte but those that a test asks to be wrong."""

from __future__ import annotations

import struct
from collections.abc import Sequence

NAME, TEXT, SERIAL = 0xFC, 0xFE, 0xFF


def build(
    *,
    maker: str = "BNQ",
    product: int = 0x1C02,
    number: int = 0,
    size: tuple[int, int] = (0, 0),
    texts: Sequence[tuple[int, bytes]] = (),
    extensions: int = 0,
    year: int = 2020,
) -> bytes:
    """A base block with a right checksum; texts are (tag, raw 13 bytes or fewer)."""
    shifts = zip(maker, (10, 5, 0), strict=True)
    packed = sum((ord(letter) - 64) << shift for letter, shift in shifts)
    block = bytearray(128)
    block[0:8] = b"\x00\xff\xff\xff\xff\xff\xff\x00"
    struct.pack_into(">H", block, 8, packed)
    struct.pack_into("<HI", block, 10, product, number)
    block[16:25] = bytes([1, year - 1990, 1, 3, 0x80, *size, 120, 0x0A])
    for slot, (tag, raw) in enumerate(texts):
        place = 54 + 18 * slot
        padded = raw if len(raw) >= 13 else raw + b"\n"
        block[place : place + 18] = bytes([0, 0, 0, tag, 0]) + padded[:13].ljust(13, b" ")
    block[126] = extensions
    block[127] = -sum(block) % 256
    return bytes(block)


def named(name: str, maker: str, size: tuple[int, int] = (0, 0), **rest: int) -> bytes:
    """A display that says its name."""
    return build(maker=maker, size=size, texts=[(NAME, name.encode("gbk"))], **rest)  # type: ignore[arg-type]


def panel_text(text: str, maker: str, size: tuple[int, int]) -> bytes:
    """A laptop's panel: no name, a text."""
    return build(maker=maker, size=size, texts=[(TEXT, text.encode())])


def displayid(
    blocks: Sequence[tuple[int, int, bytes]], version: int = 0x12, length: int | None = None
) -> bytes:
    """A DisplayID extension of data blocks (tag, revision, payload), both checksums right."""
    payload = b"".join(bytes([tag, rev, len(body)]) + body for tag, rev, body in blocks)
    section = bytearray([version, len(payload) if length is None else length, 0, 0]) + payload
    section.append(-sum(section) % 256)
    block = bytearray([0x70]) + section
    block = block.ljust(127, b"\0")
    return bytes([*block, -sum(block) % 256])

"""The firmware's SMBIOS structure table (DMTF DSP0134, 3.7). Pure; never raises.

7.2 System Information has the serial's string number at 7 and the UUID at 8, its first three
fields little endian; 7.3 Baseboard has the serial's string number at 7; 7.4 Enclosure has the
type at 5, its top bit a lock.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Iterator
from typing import NamedTuple

_FIRMWARE, _SYSTEM, _BOARD, _CHASSIS, _END = 0, 1, 2, 3, 127


class Smbios(NamedTuple):
    """The facts in the table; empty or None where it lacks them, as where it is cut short."""

    product_uuid: str = ""
    product_serial: str = ""
    board_serial: str = ""
    maker: str = ""
    model: str = ""
    firmware_date: str = ""
    chassis: int | None = None


def parse(table: bytes) -> Smbios:
    """Read a structure table; of each kind the first structure counts."""
    found: dict[str, str | int] = {}
    for kind, fields, strings in _structures(table):
        for name, value in _facts(kind, fields, strings):
            found.setdefault(name, value)
    return Smbios(**found)  # type: ignore[arg-type]


def _facts(kind: int, fields: bytes, strings: list[bytes]) -> Iterator[tuple[str, str | int]]:
    def string(place: int) -> str:
        number = fields[place]  # from 1; 0 is none
        raw = strings[number - 1] if 1 <= number <= len(strings) else b""
        return raw.decode("ascii", "replace").strip()

    if kind == _FIRMWARE and len(fields) >= 9:
        yield "firmware_date", string(8)
    elif kind == _SYSTEM and len(fields) >= 24:
        yield "maker", string(4)
        yield "model", string(5)
        yield "product_uuid", str(uuid.UUID(bytes_le=fields[8:24]))
        yield "product_serial", string(7)
    elif kind == _BOARD and len(fields) >= 8:
        yield "board_serial", string(7)
    elif kind == _CHASSIS and len(fields) >= 6:
        yield "chassis", fields[5] & 0x7F


def _structures(table: bytes) -> Iterator[tuple[int, bytes, list[bytes]]]:
    place = 0
    while place + 4 <= len(table):
        kind, length = struct.unpack_from("BB", table, place)
        end = table.find(b"\0\0", place + length)
        if length < 4 or end < 0 or kind == _END:
            return
        fields, strings = table[place : place + length], table[place + length : end]
        yield kind, fields, strings.split(b"\0")
        place = end + 2

"""What a school's day goes on from, as bytes, so that another process can go on. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from collector.keeper.hours import Counts
from collector.keeper.machines import MachineKey
from collector.keeper.places import pc_of
from collector.keeper.raw import Reports
from collector.keeper.stored import Rows, key_of, packed_rows, unpacked_rows
from collector.store import Point


class Pc(NamedTuple):
    """One PC between two passes."""

    fold: bytes
    last_ms: int
    row: Point  # its `machine_day`
    devices: bytes  # its `device_day` rows
    rooms: frozenset[str]
    hour: dict[int, Counts]  # what its last hour counts


class Checkpoint(msgspec.Struct, array_like=True):
    """A school's day between two passes, without the rows that the store has."""

    reports: dict[str, tuple[bytes, bytes]]
    certain: int
    pcs: list[Pc]
    counts: dict[int, Counts]
    rooms: list[Point]


_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Checkpoint)


def packed_day(
    reports: Reports,
    certain: int,
    pcs: Iterable[Pc],
    counts: dict[int, Counts],
    rooms: list[Point],
) -> bytes:
    """A day as bytes, which end in a checksum."""
    made = _ENCODER.encode(Checkpoint(reports.packed(), certain, list(pcs), counts, rooms))
    return made + zlib.crc32(made).to_bytes(4)


def unpacked_day(data: bytes) -> Checkpoint | None:
    """The day; None where the bytes are not what was made."""
    if zlib.crc32(data[:-4]).to_bytes(4) != data[-4:]:
        return None
    try:
        return _DECODER.decode(data[:-4])
    except msgspec.DecodeError:
        return None


def taken_up(
    pcs: Iterable[Pc], stored: Rows
) -> tuple[dict[MachineKey, Pc], set[MachineKey]] | None:
    """The PCs with their rows as the store has them now, which are taken out of `stored`.

    Also those of which a row is another one now: only new reports explain that. None where a row
    is gone.
    """
    found: dict[MachineKey, Pc] = {}
    differ: set[MachineKey] = set()
    for pc in pcs:
        devices = unpacked_rows(pc.devices)
        was = [pc.row, *devices]
        now = [stored.of[point.measurement].get(key_of(point)) for point in was]
        rows = [point for point in now if point is not None]
        if len(rows) < len(was):
            return None
        key = pc_of(pc.row)
        if any(one.fields != other.fields for one, other in zip(was, rows, strict=True)):
            differ.add(key)
            pc = pc._replace(row=rows[0], devices=packed_rows(rows[1:]))
        stored.forget(was)
        found[key] = pc
    return found, differ

"""A checksum for each row: a disk that flips a byte seldom leaves something that does not parse.

SQLite checks its pages' structure, never what stands in a row: without a sum of ours, 10.0
Mbit/s could become 50.0 and be believed.
"""

from __future__ import annotations

import sqlite3
import zlib

from msgspec import Struct

from agent.outbox import file, schema

#: Whose a row in `aside` is, where it is nobody's any more.
DAMAGED = "damaged"


class Summed(Struct, frozen=True):
    """What stays of a report from its putting on, but for `evidence`, which sealing may take.

    With its readings, or its sealed bytes, it is what the sum is made of; also the names and
    the order of the columns, see `agent.outbox.schema`.
    """

    boot: str
    number: int
    evidence: int
    elapsed: int  # ms on the monotonic clock when put
    wall: int  # ms on the PC's own clock when put
    guess: int | None  # corrected ms when put, where it was known


NAMES = Summed.__struct_fields__
COLUMNS = ", ".join(NAMES)


def crc(row: Summed, payload: bytes) -> int:
    """CRC-32 (zlib's) of the row with these readings, or these sealed bytes."""
    rest = tuple(getattr(row, name) for name in NAMES)
    return zlib.crc32(payload, zlib.crc32(repr(rest).encode(errors="replace")))


def set_aside(db: sqlite3.Connection, id_: int) -> None:
    """Keep the row for whoever wants to look at it, and count it as lost; inside a change."""
    db.execute(
        f"INSERT INTO aside ({schema.FIRST}, machine) "  # noqa: S608 - a constant of ours
        f"SELECT {schema.FIRST}, ? FROM report WHERE id = ?",
        (DAMAGED, id_),
    )
    db.execute("DELETE FROM report WHERE id = ?", (id_,))
    file.add(db, "lost", 1)

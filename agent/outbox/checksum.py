"""A checksum for each row, to detect bytes that the disk has changed.

SQLite checks the structure of its pages, not the values in them, and a flipped byte mostly
still parses: without a checksum of our own, 10.0 Mbit/s could become 50.0 unnoticed.
"""

from __future__ import annotations

import sqlite3
import zlib

from msgspec import Struct

from agent.outbox import file, schema

#: `machine` of a row in `aside` that was moved there because it is damaged.
DAMAGED = "damaged"


class Checked(Struct, frozen=True):
    """The columns that the checksum covers; after a row is put, sealing may clear `evidence`.

    Also their names and order, see `agent.outbox.schema`.
    """

    boot: str
    number: int
    evidence: int
    elapsed: int  # ms on the monotonic clock when put
    wall: int  # ms on the PC's own clock when put
    guess: int | None  # corrected ms when put, where it was known


NAMES = Checked.__struct_fields__
COLUMNS = ", ".join(NAMES)


def crc(row: Checked, payload: bytes) -> int:
    """CRC-32 (zlib) of the row's columns and `payload`: its readings, or its sealed bytes."""
    rest = tuple(getattr(row, name) for name in NAMES)
    return zlib.crc32(payload, zlib.crc32(repr(rest).encode(errors="replace")))


def set_aside(db: sqlite3.Connection, id_: int) -> None:
    """Move the row to `aside` for inspection and count it as lost; inside a transaction."""
    db.execute(
        f"INSERT INTO aside ({schema.FIRST}, machine) "  # noqa: S608 - a constant of ours
        f"SELECT {schema.FIRST}, ? FROM report WHERE id = ?",
        (DAMAGED, id_),
    )
    db.execute("DELETE FROM report WHERE id = ?", (id_,))
    file.increment(db, "lost", 1)

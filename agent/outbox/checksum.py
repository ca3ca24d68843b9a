"""A checksum for each row, to detect bytes that the disk has changed.

SQLite checks the structure of its pages, not the values in them, and a flipped byte mostly
still parses: without a checksum of our own, 10.0 Mbit/s could become 50.0 unnoticed.
"""

from __future__ import annotations

import sqlite3
import zlib
from typing import Protocol

from agent.outbox import file, schema

#: `machine` of a row in `aside` that was moved there because it is damaged.
DAMAGED = "damaged"


class Checked(Protocol):
    """The columns that the checksum covers; after a row is put only sealing changes them."""

    @property
    def boot(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def evidence(self) -> int: ...
    @property
    def elapsed(self) -> int: ...
    @property
    def wall(self) -> int: ...
    @property
    def guess(self) -> int | None: ...


def crc(row: Checked, payload: bytes) -> int:
    """CRC-32 (zlib) of the row's columns and `payload`: its readings, or its sealed bytes."""
    rest = (row.boot, row.number, row.evidence, row.elapsed, row.wall, row.guess)
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

"""A checksum for each row: a disk that flips a byte seldom leaves something that does not parse.

SQLite checks its pages' structure, never what stands in a row: without a sum of ours, 10.0
Mbit/s could become 50.0 and be believed.
"""

from __future__ import annotations

import sqlite3
import zlib
from typing import Protocol

from agent.outbox import file, schema

#: Whose a row in `aside` is, where it is nobody's any more.
DAMAGED = "damaged"


class Checked(Protocol):
    """What the sum is made of; of `outbox_schema`, and never changed but by sealing."""

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
    """CRC-32 (zlib's) of the row with these readings, or these sealed bytes."""
    rest = (row.boot, row.number, row.evidence, row.elapsed, row.wall, row.guess)
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

"""The outbox's limits: what is dropped when it is too large or too old, and in which order."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from agent.outbox import file
from agent.outbox.file import RECEIPTED

_BATCH = 16


class Limits(NamedTuple):
    """How much an outbox may hold."""

    bytes: int = 64_000_000
    days: int = 60  # counted while the outbox is open, see `agent.outbox.age`
    reserve: bool = True  # keep space back for a full disk; not with a thousand outboxes on it

    @property
    def ms(self) -> int:
        """`days` in milliseconds."""
        return self.days * 86_400_000


def exceeded(db: sqlite3.Connection, limits: Limits, age: int) -> bool:
    """Whether rows must be dropped; `age` is the outbox's, ms."""
    return file.total(db).bytes > limits.bytes or bool(_too_old(db, limits, age))


def enforce(db: sqlite3.Connection, limits: Limits, age: int) -> list[int]:
    """Drop rows until the limits are met, inside a transaction; returns the ids dropped.

    Rows set aside are dropped first, then backups of receipted evidence, then telemetry, then
    evidence; the oldest first. Rows without a receipt are counted as dropped.
    """
    dropped = []
    while rows := _too_old(db, limits, age):
        dropped += _drop(db, rows)
    while file.total(db).bytes > limits.bytes and _drop_aside(db):
        continue
    for where in ("evidence = 1 AND state = 2", "evidence = 0", "evidence = 1"):
        dropped += _drop_oldest(db, limits, where)
    return dropped


_Row = tuple[int, int, int]  # id, evidence, state


def _too_old(db: sqlite3.Connection, limits: Limits, age: int) -> list[_Row]:
    """The rows above the age limit among the `_BATCH` that were put first."""
    rows = db.execute(
        "SELECT id, evidence, state, lived FROM report ORDER BY id LIMIT ?", (_BATCH,)
    )
    return [row[:3] for row in rows if row[3] < age - limits.ms]


def _drop_aside(db: sqlite3.Connection) -> int:
    return db.execute(
        "DELETE FROM aside WHERE id IN (SELECT id FROM aside ORDER BY id LIMIT ?)", (_BATCH,)
    ).rowcount


def _drop_oldest(db: sqlite3.Connection, limits: Limits, where: str) -> list[int]:
    dropped: list[int] = []
    while file.total(db).bytes > limits.bytes:
        rows = db.execute(
            f"SELECT id, evidence, state FROM report WHERE {where} ORDER BY id LIMIT 1"  # noqa: S608
        ).fetchall()
        if not rows:
            break
        dropped += _drop(db, rows)
    return dropped


def _drop(db: sqlite3.Connection, rows: list[_Row]) -> list[int]:
    for id_, evidence, state in rows:
        db.execute("DELETE FROM report WHERE id = ?", (id_,))
        if state != RECEIPTED:
            file.increment(db, "dropped_evidence" if evidence else "dropped_telemetry", 1)
    return [row[0] for row in rows]

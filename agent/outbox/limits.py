"""The outbox's bounds: what is dropped when it is too large or too old, in which order."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from agent.outbox import file
from agent.outbox.file import RECEIPTED

_BATCH = 16


class Limits(NamedTuple):
    """How much an outbox may hold."""

    bytes: int = 64_000_000
    days: int = 60  # of the time that it is open; see `outbox_age`
    reserve: bool = True  # keep room back for a full disk; a thousand outboxes would not

    @property
    def ms(self) -> int:
        """The age, in milliseconds."""
        return self.days * 86_400_000


def exceeded(db: sqlite3.Connection, limits: Limits, lived: int) -> bool:
    """Whether anything must go; `lived` is the outbox's age, ms."""
    return file.total(db).bytes > limits.bytes or bool(_too_old(db, limits, lived))


def keep(db: sqlite3.Connection, limits: Limits, lived: int) -> list[int]:
    """Drop down to the limits, inside a change; returns the ids that are gone.

    Rows set aside go first, then backups of receipted evidence, then telemetry, then
    evidence; the oldest first. What had no receipt yet is counted.
    """
    gone = []
    while rows := _too_old(db, limits, lived):
        gone += _drop(db, rows)
    while file.total(db).bytes > limits.bytes and _drop_aside(db):
        continue
    for where in ("evidence = 1 AND state = 2", "evidence = 0", "evidence = 1"):
        gone += _drop_oldest(db, limits, where)
    return gone


_Row = tuple[int, int, int]  # id, evidence, state


def _too_old(db: sqlite3.Connection, limits: Limits, lived: int) -> list[_Row]:
    """Of the first rows put, those too old."""
    rows = db.execute(
        "SELECT id, evidence, state, lived FROM report ORDER BY id LIMIT ?", (_BATCH,)
    )
    return [row[:3] for row in rows if row[3] < lived - limits.ms]


def _drop_aside(db: sqlite3.Connection) -> int:
    return db.execute(
        "DELETE FROM aside WHERE id IN (SELECT id FROM aside ORDER BY id LIMIT ?)", (_BATCH,)
    ).rowcount


def _drop_oldest(db: sqlite3.Connection, limits: Limits, where: str) -> list[int]:
    gone: list[int] = []
    while file.total(db).bytes > limits.bytes:
        rows = db.execute(
            f"SELECT id, evidence, state FROM report WHERE {where} ORDER BY id LIMIT 1"  # noqa: S608
        ).fetchall()
        if not rows:
            break
        gone += _drop(db, rows)
    return gone


def _drop(db: sqlite3.Connection, rows: list[_Row]) -> list[int]:
    for id_, evidence, state in rows:
        db.execute("DELETE FROM report WHERE id = ?", (id_,))
        if state != RECEIPTED:
            file.add(db, "dropped_evidence" if evidence else "dropped_telemetry", 1)
    return [row[0] for row in rows]

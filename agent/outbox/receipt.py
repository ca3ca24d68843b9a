"""How a receipt changes the outbox's rows. Each function runs in the caller's transaction."""

from __future__ import annotations

import sqlite3

from agent.outbox import file
from agent.outbox.file import HELD, RECEIPTED, WAITING
from agent.wire.messages import StoredRange

#: Receipted evidence is kept for this long as the collector's backup, ms of the outbox's age.
KEEP_MS = 7 * 86_400_000


def requeue(db: sqlite3.Connection, since: int) -> None:
    """Queue receipted evidence from `since` (ms) on again; the same request works only once."""
    if file.fact(db, "again_since") == str(since):
        return
    db.execute(
        "UPDATE report SET state = ?, receipted = NULL WHERE state = ? AND time >= ?",
        (WAITING, RECEIPTED, since),
    )
    file.set_fact(db, "again_since", since)


def mark_stored(db: sqlite3.Connection, what: StoredRange, age: int) -> None:
    """Delete telemetry, keep evidence as a backup; `age` is the outbox's, ms."""
    # An unsealed row was never sent, so a receipt cannot refer to it.
    where = "boot = ? AND number BETWEEN ? AND ? AND sealed IS NOT NULL AND state != ?"
    which = (what.boot, what.first, what.last, RECEIPTED)
    db.execute(f"DELETE FROM report WHERE {where} AND NOT evidence", which)  # noqa: S608
    db.execute(
        f"UPDATE report SET state = ?, receipted = ?, reason = NULL WHERE {where}",  # noqa: S608
        (RECEIPTED, age, *which),
    )


def mark_held(db: sqlite3.Connection, boot: str, number: int, reason: str, retry: int) -> None:
    """Hold the report until `retry`, ms of the monotonic clock; others are sent meanwhile."""
    db.execute(
        "UPDATE report SET state = ?, reason = ?, retry = ? WHERE boot = ? AND number = ?"
        " AND sealed IS NOT NULL AND state = ?",
        (HELD, reason, retry, boot, number, WAITING),
    )


def delete_old_backups(db: sqlite3.Connection, age: int) -> None:
    """Delete backups that are older than KEEP_MS; `age` is the outbox's, ms."""
    old = age - KEEP_MS
    db.execute("DELETE FROM report WHERE state = ? AND receipted < ?", (RECEIPTED, old))


def release_held(db: sqlite3.Connection, now: int | None = None) -> None:
    """Put held rows back into the queue: all of them, or those whose retry is due by `now`."""
    db.execute(
        "UPDATE report SET state = ?, reason = NULL"
        " WHERE state = ? AND retry <= coalesce(?, retry)",
        (WAITING, HELD, now),
    )


def first_retry(db: sqlite3.Connection) -> int | None:
    """The earliest retry of a held row, ms of the monotonic clock; None where none is held."""
    first: int | None = db.execute(
        "SELECT min(retry) FROM report WHERE state = ?", (HELD,)
    ).fetchone()[0]
    return first

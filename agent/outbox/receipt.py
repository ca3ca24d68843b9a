"""What a receipt does to the outbox's rows; each function inside a change of the caller's."""

from __future__ import annotations

import sqlite3

from agent.outbox import file
from agent.outbox.file import HELD, RECEIPTED, WAITING
from agent.wire.messages import Held, StoredRange

#: Receipted evidence is kept as the collector's backup for this long, ms of `outbox_age`.
KEEP_MS = 7 * 86_400_000


def give_again(db: sqlite3.Connection, since: int) -> None:
    """Receipted evidence since then (ms) waits again; once for each time it is asked for."""
    if file.fact(db, "again_since") == str(since):
        return
    db.execute(
        "UPDATE report SET state = ?, receipted = NULL WHERE state = ? AND time >= ?",
        (WAITING, RECEIPTED, since),
    )
    file.set_fact(db, "again_since", since)


def stored(db: sqlite3.Connection, what: StoredRange, lived: int) -> None:
    """Delete telemetry, keep evidence as a backup; `lived` is the outbox's age, ms."""
    # What was never sealed was never sent: no receipt can speak of it.
    where = "boot = ? AND number BETWEEN ? AND ? AND sealed IS NOT NULL AND state != ?"
    which = (what.boot, what.first, what.last, RECEIPTED)
    db.execute(f"DELETE FROM report WHERE {where} AND NOT evidence", which)  # noqa: S608
    db.execute(
        f"UPDATE report SET state = ?, receipted = ?, reason = NULL WHERE {where}",  # noqa: S608
        (RECEIPTED, lived, *which),
    )


def held(db: sqlite3.Connection, what: Held, retry: int) -> None:
    """Try it again at `retry`, ms of the monotonic clock; others go meanwhile."""
    db.execute(
        "UPDATE report SET state = ?, reason = ?, retry = ? WHERE boot = ? AND number = ?"
        " AND sealed IS NOT NULL AND state = ?",
        (HELD, what.reason, retry, what.boot, what.number, WAITING),
    )


def forget_old(db: sqlite3.Connection, lived: int) -> None:
    """Let go of backups that are older than KEEP_MS; `lived` is the outbox's age, ms."""
    old = lived - KEEP_MS
    db.execute("DELETE FROM report WHERE state = ? AND receipted < ?", (RECEIPTED, old))


def release(db: sqlite3.Connection, now: int | None = None) -> None:
    """Held rows wait for their turn only: all of them, or those whose time has come by `now`."""
    db.execute(
        "UPDATE report SET state = ?, reason = NULL"
        " WHERE state = ? AND retry <= coalesce(?, retry)",
        (WAITING, HELD, now),
    )


def first_retry(db: sqlite3.Connection) -> int | None:
    """When the first held row is tried again, ms of the monotonic clock."""
    first: int | None = db.execute(
        "SELECT min(retry) FROM report WHERE state = ?", (HELD,)
    ).fetchone()[0]
    return first

"""The turns on disk, so that leases, counts and a month's bytes survive a crash of the server.

One SQLite file next to the records' outbox. A grant is on disk before the agent gets it.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import msgspec

from agent.common import decoding
from agent.common.calendar import local_day, start_of
from agent.common.sqlite import open_file
from collector.lineserver.turns import Ending, Past, Turn, Wish

_FIRST = """
CREATE TABLE IF NOT EXISTS turn (
    id TEXT PRIMARY KEY, school TEXT NOT NULL, line TEXT NOT NULL, wish BLOB NOT NULL,
    started REAL NOT NULL, until REAL NOT NULL, long INTEGER NOT NULL, outcome TEXT,
    ended REAL, bytes INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS turn_started ON turn (started);
"""
_KEPT_S = 40 * 86_400.0
_LONG = "SELECT *, max(started) FROM turn WHERE long AND outcome = 'ok' GROUP BY school, line"


class TurnBook:
    """Stores turns. Safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Open the file, or create it.

        Raises:
            OSError, sqlite3.Error: it cannot be read or written.
            NewerFileError: a later version made it.
        """
        self._path = path
        self._lock = threading.Lock()
        self._base = open_file(path, (_FIRST,))

    def granted(self, turn: Turn) -> None:
        """Store a granted turn, and delete turns older than 40 days.

        Raises:
            sqlite3.Error: it cannot be stored.
        """
        wish = turn.wish
        row = (turn.id, wish.school, wish.line, msgspec.json.encode(wish))
        with self._lock:
            self._base.execute("DELETE FROM turn WHERE started < ?", (turn.started - _KEPT_S,))
            self._base.execute(
                "INSERT INTO turn VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, 0)",
                (*row, turn.started, turn.until, turn.long),
            )

    def ended(self, turn: Turn, outcome: Ending, count: int, now: float) -> None:
        """Store how a turn ended, and its bytes.

        Raises:
            sqlite3.Error: it cannot be stored.
        """
        update = "UPDATE turn SET outcome = ?, bytes = ?, ended = ? WHERE id = ?"
        with self._lock:
            self._base.execute(update, (outcome, count, now, turn.id))

    def past(self, now: float) -> list[Past]:
        """This month's turns, leases still running, and the last long test of each line.

        Raises:
            sqlite3.Error: the file cannot be read, or a stored turn is malformed.
        """
        first = local_day(now).replace(day=1)
        start = start_of(first).timestamp()
        with self._lock:
            today = self._base.execute(
                "SELECT * FROM turn WHERE started >= ? OR until > ?", (start, now)
            ).fetchall()
            longs = self._base.execute(_LONG).fetchall()
        rows = {row[0]: row for row in (*longs, *today)}
        try:
            return [_past(*row[:10]) for row in rows.values()]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise sqlite3.DatabaseError(f"{self._path}: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._base.close()


def _past(
    ident: str, _school: str, _line: str, wish: bytes, started: float, until: float,
    long: int, outcome: Ending | None, _ended: float | None, count: int,
) -> Past:  # fmt: skip
    turn = Turn(ident, decoding.decode(wish, Wish), started, until, bool(long))
    return Past(turn, outcome, count)

"""Messages that can never be read: kept whole with their reason, bounded, never evicted."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from agent.common.sqlite import open_file, transaction

FILE = "quarantine.db"
_OVERHEAD = 128  # a row's own bytes, about
_FIRST = """
CREATE TABLE IF NOT EXISTS quarantine (
  id INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,   -- arrival, ns since 1970 UTC
  topic TEXT NOT NULL,
  payload BLOB NOT NULL,
  reason TEXT NOT NULL,
  size INTEGER NOT NULL,
  digest BLOB NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS total (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), size INTEGER);
INSERT OR IGNORE INTO total VALUES (1, 0);
CREATE TRIGGER IF NOT EXISTS came AFTER INSERT ON quarantine
  BEGIN UPDATE total SET size = size + new.size; END;
CREATE TRIGGER IF NOT EXISTS went AFTER DELETE ON quarantine
  BEGIN UPDATE total SET size = size - old.size; END;
"""
#: The school, as `schoolpulse/v1/<school>/…` has it.
_SHARES = """
CREATE TABLE share (school TEXT PRIMARY KEY, size INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO share SELECT substr(topic, 16, 10), sum(size) FROM quarantine GROUP BY 1;
CREATE TRIGGER came_of AFTER INSERT ON quarantine BEGIN
  INSERT INTO share VALUES (substr(new.topic, 16, 10), new.size)
  ON CONFLICT (school) DO UPDATE SET size = size + excluded.size;
END;
CREATE TRIGGER went_of AFTER DELETE ON quarantine BEGIN
  UPDATE share SET size = size - old.size WHERE school = substr(old.topic, 16, 10);
END;
"""
_LAYOUT = (_FIRST, _SHARES)
#: What one school may fill: this part of the whole, but a small quarantine is not parted further.
_PART, _LEAST = 16, 1 << 20


class Row(NamedTuple):
    """One message in quarantine; `time` of its arrival in ns since 1970 UTC."""

    time: int
    topic: str
    payload: bytes
    reason: str


class Quarantine:
    """`quarantine.db`. Safe to use from several threads and processes."""

    def __init__(self, path: Path, limit_bytes: int) -> None:
        """Open or make the file. Raises sqlite3.Error, OSError, NewerFileError."""
        self._lock = threading.Lock()
        self._limit, self._share = limit_bytes, max(limit_bytes // _PART, _LEAST)
        # A row here is receipted: like the store's points, it must survive a power cut.
        self._db = open_file(path, _LAYOUT)

    def add(self, rows: Sequence[Row]) -> list[bool]:
        """Keep the rows, durably; False for each that does not fit, or is beyond its school's part.

        One that is there already (a resend) is kept once. Raises sqlite3.Error: none is kept.
        """
        with self._lock, transaction(self._db):
            return [self._add(row) for row in rows]

    def _add(self, row: Row) -> bool:
        size = len(row.payload) + len(row.topic.encode()) + len(row.reason.encode()) + _OVERHEAD
        digest = hashlib.blake2b(row.topic.encode() + b"\0" + row.payload, digest_size=16).digest()
        known = self._db.execute("SELECT 1 FROM quarantine WHERE digest = ?", (digest,)).fetchone()
        if known:
            return True
        if self._size() + size > self._limit or self._of_school(row.topic) + size > self._share:
            return False
        self._db.execute(
            "INSERT INTO quarantine (time, topic, payload, reason, size, digest)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (row.time, row.topic, row.payload, row.reason, size, digest),
        )
        return True

    def _size(self) -> int:
        size: int = self._db.execute("SELECT size FROM total").fetchone()[0]
        return size

    def _of_school(self, topic: str) -> int:
        query = "SELECT size FROM share WHERE school = substr(?, 16, 10)"
        found = self._db.execute(query, (topic,)).fetchone()
        return found[0] if found else 0

    def size(self) -> tuple[int, int]:
        """How many rows, and how many bytes."""
        with self._lock:
            rows: int = self._db.execute("SELECT count(*) FROM quarantine").fetchone()[0]
            return rows, self._size()

    def rows(self) -> Iterator[Row]:
        """All rows, oldest first."""
        return (row for _, row in self.numbered())

    def numbered(self, after: int = 0) -> Iterator[tuple[int, Row]]:
        """The rows with their ids above `after`, oldest first; a few at a time in memory."""
        while found := self._some(after):
            for id_, time, topic, payload, reason in found:
                yield id_, Row(time, topic, payload, reason)
            after = found[-1][0]

    def _some(self, after: int) -> list[tuple[int, int, str, bytes, str]]:
        with self._lock, closing(self._db.cursor()) as cursor:
            return cursor.execute(
                "SELECT id, time, topic, payload, reason FROM quarantine WHERE id > ?"
                " ORDER BY id LIMIT 100",
                (after,),
            ).fetchall()

    def remove(self, ids: Sequence[int]) -> None:
        """Delete rows: stored by now, or removed by a person. Raises sqlite3.Error."""
        with self._lock:
            self._db.executemany("DELETE FROM quarantine WHERE id = ?", [(id_,) for id_ in ids])

    def reasons(self) -> dict[str, int]:
        """How many rows by their reason's first word, such as `unreadable` or `store`."""
        with self._lock:
            return dict(
                self._db.execute(
                    "SELECT substr(reason, 1, instr(reason || ':', ':') - 1), count(*)"
                    " FROM quarantine GROUP BY 1 ORDER BY 2 DESC"
                ).fetchall()
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

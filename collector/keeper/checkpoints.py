"""Schools' days between two passes, in a file: a keeper that starts goes on where one ended.

The rows stay a pure function of the store and the register: a checkpoint only spares reading the
day again. It is for the same program, rules and register's rows (a fingerprint says so). New
reports that are not among those read again, the ones since `again`, drop it before any row that
they change is written. And nobody else may have written these schools' rows: the file knows the
keepers that had it, one after another, by what their notes say (`collector.keeper.others`).
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from agent.common import log
from agent.common.sqlite import NewerFileError, open_file, transaction

#: A file that no keeper has touched for so long says nothing: notes are read an hour back only.
_ALIVE_S = 2400.0
_LAYOUT = (
    """
    CREATE TABLE owner (id TEXT NOT NULL, at REAL NOT NULL);
    CREATE TABLE days (
        school TEXT NOT NULL, day TEXT NOT NULL, again INTEGER NOT NULL,
        stamp BLOB NOT NULL, state BLOB NOT NULL, PRIMARY KEY (school, day)
    );
    """,
)
FILE = "checkpoints.db"
_Pair = tuple[str, dt.date]


class Saving(NamedTuple):
    """A school's day to save; it goes on if reports since `again` (ns) are read again."""

    school: str
    day: dt.date
    again: int
    stamp: bytes
    state: bytes


class Checkpoints:
    """One keeper's file. One that is broken is made anew: an empty one is never wrong."""

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        """Open or make it. One that can neither be used nor removed is told, and not used."""
        self._path, self._now = path, now
        self._id = ""
        self._again: dict[_Pair, int] = {}
        self._db: sqlite3.Connection | None = None
        try:
            self._open()
        except (sqlite3.Error, NewerFileError) as error:
            self._anew(error)

    def begin(self, id_: str, others: Collection[str]) -> None:
        """Begin a run of the keeper `id_`; at the first, `others` noted lately that they wrote."""
        if self._db is None:
            self._anew(None)
        rows = self._do("SELECT id, at FROM owner ORDER BY at")
        last, at = rows[-1] if rows else ("", 0.0)
        if self._id:
            mine = last == id_  # else another process has the file too
        else:
            fresh = 0 <= self._now() - at <= _ALIVE_S
            mine = fresh and set(others) <= {row[0] for row in rows}
        self._id = id_
        if not mine:
            self.clear()
        self._do("DELETE FROM owner WHERE id = ? OR at < ?", (id_, self._now() - 2 * _ALIVE_S))
        self._do("INSERT INTO owner VALUES (?, ?)", (id_, self._now()))

    def load(self, school: str, day: dt.date, stamp: bytes) -> tuple[int, bytes] | None:
        """From when reports must be read again (ns), and the state; None: there is none."""
        if not self._id or (school, day) not in self._again:
            return None
        sql = "SELECT again, state FROM days WHERE school = ? AND day = ? AND stamp = ?"
        rows = self._do(sql, (school, day.isoformat(), stamp))
        return (int(rows[0][0]), bytes(rows[0][1])) if rows else None

    def save(self, days: Sequence[Saving]) -> None:
        """Keep days from which one can go on."""
        if self._db is None or not self._id:
            return
        rows = [(one.school, one.day.isoformat(), *one[2:]) for one in days]
        try:
            with transaction(self._db):
                owner = self._db.execute("SELECT id FROM owner ORDER BY at DESC LIMIT 1").fetchone()
                if owner is None or owner[0] != self._id:
                    return  # another keeper has begun meanwhile
                self._db.executemany("INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._anew(error)
        else:
            self._again |= {(one.school, one.day): one.again for one in days}

    def drop_before(self, school: str, day: dt.date, since: int) -> bool:
        """A school's day has new reports since then, 0: anywhere; their rows are not written yet.

        Whether they are not among those that would be read again, and it was dropped.
        """
        dropped = since < self._again.get((school, day), -1)
        if dropped:
            self._drop([(school, day)])
        return dropped

    def drop_later(self, school: str, day: dt.date) -> None:
        """The rows of a day change, from which later ones start."""
        self._drop([pair for pair in self._again if pair[0] == school and pair[1] > day])

    def drop_older(self, day: dt.date) -> None:
        """Days before this one are over."""
        self._drop([pair for pair in self._again if pair[1] < day])

    def clear(self) -> None:
        """Forget all days."""
        self._do("DELETE FROM days")
        self._do("DELETE FROM owner WHERE id != ?", (self._id,))
        self._again.clear()

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _drop(self, pairs: Collection[_Pair]) -> None:
        for school, day in pairs:
            sql = "DELETE FROM days WHERE school = ? AND day = ?"
            self._do(sql, (school, day.isoformat()))
            self._again.pop((school, day), None)

    def _open(self) -> None:
        self._db = open_file(self._path, _LAYOUT)
        rows = self._db.execute("SELECT school, day, again FROM days").fetchall()
        self._again = {(school, dt.date.fromisoformat(day)): at for school, day, at in rows}

    def _do(self, sql: str, values: Sequence[object] = ()) -> list[Sequence[Any]]:
        if self._db is None:  # there is no file
            return []
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self._anew(error)
            return []

    def _anew(self, error: Exception | None) -> None:
        """Make the file anew; where that fails, there is none until the next run begins."""
        self.close()
        self._again.clear()
        if error is not None:
            log.warning("checkpoints_made_anew", path=self._path, reason=error)
        with suppress(sqlite3.Error, OSError):
            for ending in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
            self._open()

"""Schools' days whose rows must be derived again: on disk before their reports are receipted.

After the receipt nobody sends the report again, so a crash must not lose the day either. The
keeper may be another process: it takes what is pending, and what comes meanwhile is pending anew.
"""

from __future__ import annotations

import datetime as dt
import math
import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from agent.common.sqlite import open_file, transaction

FILE = "days.db"
_LAYOUT = (
    "CREATE TABLE IF NOT EXISTS dirty (day TEXT PRIMARY KEY, mark INTEGER NOT NULL);",
    """
    CREATE TABLE pending (
        taken INTEGER NOT NULL, school TEXT NOT NULL, day TEXT NOT NULL,
        since INTEGER NOT NULL, at REAL NOT NULL, mark INTEGER NOT NULL,
        PRIMARY KEY (taken, school, day)
    ) WITHOUT ROWID;
    INSERT INTO pending SELECT 0, '', day, 0, strftime('%s', 'now'), 0 FROM dirty;
    DROP TABLE dirty;
    CREATE TABLE takes (number INTEGER NOT NULL);
    INSERT INTO takes VALUES (0);
    """,
    "CREATE TABLE notes (until INTEGER NOT NULL, week INTEGER NOT NULL);",
)
#: Reports of the same seconds need one mark: `since` is rounded down to this, ns.
ROUND_NS = 20 * 10**9
#: As the time of the first new report: there is none, but the register may have changed.
NOTHING_NEW = 2**62 - 2**62 % ROUND_NS
#: Where the keeper is elsewhere nobody takes them; older reports are telemetry no more.
_FORGOTTEN_S = 100 * 86_400.0
_MARK = """
    INSERT INTO pending VALUES (0, ?, ?, ?, ?, 0) ON CONFLICT (taken, school, day)
    DO UPDATE SET since = min(since, excluded.since)
"""
_TAKE = """
    INSERT INTO pending SELECT 1, school, day, since, at, ? FROM pending WHERE taken = 0
    ON CONFLICT (taken, school, day)
    DO UPDATE SET since = min(since, excluded.since), mark = excluded.mark
"""


class Pair(NamedTuple):
    """A school's day; of the school "", every registered school's."""

    school: str
    day: dt.date


class Taken(NamedTuple):
    """The time of the first new report, ns since 1970 UTC, 0: derive whole; a mark for `done`."""

    since: int
    mark: int


class PendingDays:
    """`days.db`. What is marked while it is being derived stays marked. For several threads."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises sqlite3.Error, OSError, NewerFileError."""
        self._lock = threading.Lock()
        self._db = open_file(path, _LAYOUT)
        self._db.execute("DELETE FROM pending WHERE at < ?", (time.time() - _FORGOTTEN_S,))
        self._marked: dict[Pair, int] = {}  # since the last take: need not be written again
        self._version = self._data_version()

    def mark(self, marks: Mapping[Pair, int]) -> None:
        """Mark days, each with the time of its first new report, durably. Raises sqlite3.Error."""
        with self._lock:
            self._forget_taken()
            rounded = {pair: since - since % ROUND_NS for pair, since in marks.items()}
            new = {p: s for p, s in rounded.items() if s < self._marked.get(p, math.inf)}
            if not new:
                return
            now = time.time()
            with transaction(self._db):
                self._db.executemany(
                    _MARK, [(p.school, p.day.isoformat(), s, now) for p, s in new.items()]
                )
            self._marked |= new

    def take(self) -> dict[Pair, Taken]:
        """What is marked, and what was taken before and is not done. Raises sqlite3.Error."""
        with self._lock:
            self._marked.clear()
            with transaction(self._db):
                self._db.execute("UPDATE takes SET number = number + 1")
                (mark,) = self._db.execute("SELECT number FROM takes").fetchone()
                self._db.execute(_TAKE, (mark,))
                self._db.execute("DELETE FROM pending WHERE taken = 0")
            rows = self._db.execute(
                "SELECT school, day, since, mark FROM pending WHERE taken = 1"
            ).fetchall()
            return {
                Pair(school, dt.date.fromisoformat(day)): Taken(since, mark)
                for school, day, since, mark in rows
            }

    def done(self, taken: Mapping[Pair, Taken]) -> None:
        """Unmark what was taken, but not what was marked and taken since. Raises sqlite3.Error."""
        with self._lock, transaction(self._db):
            self._db.executemany(
                "DELETE FROM pending WHERE taken = 1 AND school = ? AND day = ? AND mark = ?",
                [(pair.school, pair.day.isoformat(), one.mark) for pair, one in taken.items()],
            )

    def oldest(self) -> float | None:
        """When the first report came whose day is not derived yet, s since 1970 UTC; None: none.

        Raises sqlite3.Error.
        """
        with self._lock:
            (at,) = self._db.execute("SELECT min(at) FROM pending").fetchone()
            return None if at is None else float(at)

    def notes_until(self) -> tuple[int, int]:
        """What `set_notes_until` was told last; zeros: nothing yet. Raises sqlite3.Error."""
        with self._lock:
            found = self._db.execute("SELECT until, week FROM notes").fetchone()
            return (int(found[0]), int(found[1])) if found else (0, 0)

    def set_notes_until(self, until: int, week: int) -> None:
        """Other machines' notes until then are marked; at `week`, all of a week were looked at.

        Both in ns since 1970 UTC. Raises sqlite3.Error.
        """
        with self._lock, transaction(self._db):
            self._db.execute("DELETE FROM notes")
            self._db.execute("INSERT INTO notes VALUES (?, ?)", (until, week))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _forget_taken(self) -> None:
        """Another process may have taken what is marked; what it reads then has our reports.

        They were stored before they are marked.
        """
        version = self._data_version()
        if version != self._version:
            self._marked.clear()
            self._version = version

    def _data_version(self) -> int:
        """Changes when another connection has changed the file; costs no reading of it."""
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        return int(version)


def order(pairs: Collection[Pair], today: dt.date) -> list[Pair]:
    """The order in which to derive: today first, then what is newest.

    Of a school's earlier days the oldest comes first, as each starts from the one before: a school
    with a long arrear stands behind those with a short one.
    """
    oldest: dict[str, dt.date] = {}
    for school, day in pairs:
        oldest[school] = (
            min(day, oldest.get(school, day)) if day < today else oldest.get(school, dt.date.max)
        )
    behind = {pair: (today - oldest[pair.school]).days for pair in pairs if pair.day < today}
    return sorted(
        pairs,
        key=lambda pair: (pair.day != today, behind.get(pair, 10**6), pair.school, pair.day),
    )

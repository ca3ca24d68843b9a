"""`removals.db`: every removal of evidence, append-only: who, when, why, what, and how much."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from agent.common.sqlite import open_file, transaction

FILE = "removals.db"
_LAYOUT = (
    """
CREATE TABLE IF NOT EXISTS removal (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  why TEXT NOT NULL,
  school TEXT NOT NULL,
  what TEXT NOT NULL,   -- the conditions, as they were given
  rows TEXT NOT NULL,   -- JSON: measurement -> rows to remove
  file TEXT NOT NULL    -- the copy of them, a name in the folder `removed`
);
CREATE TABLE IF NOT EXISTS done
  (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, days TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS removal_kept BEFORE DELETE ON removal
  BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS removal_same BEFORE UPDATE ON removal
  BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS done_kept BEFORE DELETE ON done
  BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER IF NOT EXISTS done_same BEFORE UPDATE ON done
  BEGIN SELECT RAISE(ABORT, 'append-only'); END;
""",
    """
CREATE TABLE of_day  -- the days of a removal's rows, which nothing else tells once they are gone
  (id INTEGER NOT NULL, day TEXT NOT NULL, PRIMARY KEY (id, day)) WITHOUT ROWID;
CREATE TRIGGER of_day_kept BEFORE DELETE ON of_day
  BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER of_day_same BEFORE UPDATE ON of_day
  BEGIN SELECT RAISE(ABORT, 'append-only'); END;
""",
)


class Left(NamedTuple):
    """A removal that did not end: the days of its rows, and their measurements."""

    id: int
    days: frozenset[dt.date]
    measurements: set[str]


_COLUMNS = ("id", "at_ms", "who", "why", "school", "what", "rows", "file", "done_ms", "days")


class Removals:
    """The file. Raises sqlite3.Error, OSError, NewerFileError from every method."""

    def __init__(self, path: Path) -> None:
        """Open or make it."""
        self._db = open_file(path, _LAYOUT)

    def begin(
        self, at_ms: int, who: str, why: str, school: str, what: str, rows: Mapping[str, int],
        file: str, days: Collection[dt.date],
    ) -> int:  # fmt: skip
        """Write down a removal, whose rows are of these days, before it is done; its id."""
        with transaction(self._db):
            done = self._db.execute(
                "INSERT INTO removal (at_ms, who, why, school, what, rows, file)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (at_ms, who, why, school, what, json.dumps(dict(rows)), file),
            )
            of_days = [(done.lastrowid, day.isoformat()) for day in days]
            self._db.executemany("INSERT INTO of_day VALUES (?, ?)", of_days)
        return int(done.lastrowid or 0)

    def left(self, school: str, what: str) -> list[Left]:
        """The same removals that did not end, whatever their filter's order.

        Not those of an earlier version, which wrote no days down.
        """
        found = self._db.execute(
            "SELECT r.id, r.what, r.rows, group_concat(o.day) FROM removal r"
            " JOIN of_day o ON o.id = r.id"
            " WHERE r.school = ? AND r.id NOT IN (SELECT id FROM done) GROUP BY r.id",
            (school,),
        ).fetchall()
        return [
            Left(id_, frozenset(map(dt.date.fromisoformat, days.split(","))), set(json.loads(rows)))
            for id_, words, rows, days in found
            if sorted(words.split()) == sorted(what.split())
        ]

    def finish(self, id_: int, at_ms: int, days: str) -> None:
        """The rows are gone; `days` are derived again."""
        with transaction(self._db):
            self._db.execute("INSERT INTO done VALUES (?, ?, ?)", (id_, at_ms, days))

    def rows(self, school: str = "") -> list[dict[str, Any]]:
        """All removals, the earliest first; `done_ms` is None for one that did not end."""
        with closing(self._db.cursor()) as cursor:
            found = cursor.execute(
                "SELECT r.*, d.at_ms, d.days FROM removal r LEFT JOIN done d ON d.id = r.id"
                " WHERE ? IN ('', r.school) ORDER BY r.id",
                (school,),
            ).fetchall()
        named = [dict(zip(_COLUMNS, row, strict=True)) for row in found]
        return [{**row, "rows": json.loads(row["rows"])} for row in named]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

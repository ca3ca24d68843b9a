"""`removals.db`: every removal of evidence, append-only: who, when, why, what, and how much."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

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
)
_COLUMNS = ("id", "at_ms", "who", "why", "school", "what", "rows", "file", "done_ms", "days")


class Removals:
    """The file. Raises sqlite3.Error, OSError, NewerFileError from every method."""

    def __init__(self, path: Path) -> None:
        """Open or make it."""
        self._db = open_file(path, _LAYOUT)

    def begin(
        self, at_ms: int, who: str, why: str, school: str, what: str, rows: Mapping[str, int],
        file: str,
    ) -> int:  # fmt: skip
        """Write down a removal before it is done; its id."""
        with transaction(self._db):
            done = self._db.execute(
                "INSERT INTO removal (at_ms, who, why, school, what, rows, file)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (at_ms, who, why, school, what, json.dumps(dict(rows)), file),
            )
        return int(done.lastrowid or 0)

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

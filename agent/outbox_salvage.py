"""What is left of a damaged outbox: read row by row into a new file."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from agent import outbox_schema as schema

#: What reading a damaged page, or telling of it, may raise.
_UNREADABLE = (sqlite3.Error, ValueError)


def move_aside(path: Path) -> Path:
    """Rename the file and its journal; never over a file that was moved before."""
    number = 1
    while (damaged := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for suffix in ("-wal", "-shm", ""):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.rename(damaged.with_name(damaged.name + suffix))
    return damaged


def salvage(db: sqlite3.Connection, damaged: Path) -> int:
    """Copy every readable row of the damaged file; returns how many are known to be lost."""
    with contextlib.closing(sqlite3.connect(damaged, isolation_level=None)) as old:
        db.execute("BEGIN IMMEDIATE")
        _copy_facts(db, old)
        columns = _columns(old)
        lost = _copy_rows(db, old, columns)
        if columns == schema.FIRST:
            db.execute(schema.OWN_TIME)
        db.execute("COMMIT")
    return lost


def _columns(old: sqlite3.Connection) -> str:
    """Those of the layout that the file had."""
    try:
        (layout,) = old.execute("PRAGMA user_version").fetchone()
    except _UNREADABLE:
        return schema.COLUMNS
    return schema.COLUMNS if layout else schema.FIRST


def _copy_facts(db: sqlite3.Connection, old: sqlite3.Connection) -> None:
    with contextlib.suppress(*_UNREADABLE):
        for row in old.execute("SELECT name, value FROM fact"):
            db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", row)


def _copy_rows(db: sqlite3.Connection, old: sqlite3.Connection, columns: str) -> int:
    """Row by row, so that one bad page costs only its own rows."""
    try:
        last = old.execute("SELECT seq FROM sqlite_sequence WHERE name = 'report'").fetchone()
        first = old.execute("SELECT min(id) FROM report").fetchone()
    except _UNREADABLE:
        return 1  # nothing tells how many there were: at least one, or it would not be damaged
    if last is None or first is None or first[0] is None:
        return 0
    ids = range(first[0], last[0] + 1)
    return sum(_copy_row(db, old, columns, id_) for id_ in ids)


def _copy_row(db: sqlite3.Connection, old: sqlite3.Connection, columns: str, id_: int) -> int:
    """Copy one row; returns 1 when it is lost."""
    columns = f"id, {columns}"  # what is under way is known by its id
    find = f"SELECT {columns} FROM report WHERE id = ?"  # noqa: S608 - the caller's constant
    try:
        row = old.execute(find, (id_,)).fetchone()
        if row is not None:
            marks = ", ".join("?" * len(row))
            db.execute(f"INSERT INTO report ({columns}) VALUES ({marks})", row)  # noqa: S608
    except _UNREADABLE:
        return 1
    return 0


#: A flipped byte that SQLite does not see: nobody could ever receipt such a row.
_SENSELESS = """
    typeof(boot) != 'text' OR length(boot) != 16 OR boot GLOB '*[^0-9a-f]*'
    OR typeof(number) != 'integer' OR number NOT BETWEEN 2 AND 9999999999999999
    OR state NOT IN (0, 1, 2) OR typeof(size) != 'integer' OR size < 0
    OR typeof(elapsed) != 'integer' OR typeof(wall) != 'integer'
    OR typeof(guess) NOT IN ('integer', 'null') OR typeof(time) NOT IN ('integer', 'null')
    OR (sealed IS NULL AND readings IS NULL) OR (sealed IS NOT NULL AND time IS NULL)
    OR (state = 2 AND typeof(receipted) != 'integer')
"""


def senseless(db: sqlite3.Connection) -> int:
    """Delete rows that could never be sent or receipted; how many."""
    db.execute("UPDATE report SET state = 0 WHERE state = 1 AND typeof(retry) != 'integer'")
    return db.execute(f"DELETE FROM report WHERE {_SENSELESS}").rowcount  # noqa: S608 - constant

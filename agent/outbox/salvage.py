"""Salvage of a damaged outbox: its readable rows are copied into a new file that replaces it.

The new file is complete before the damaged one is moved, so a power cut during the salvage
loses nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection
from pathlib import Path

from agent.outbox import schema

#: Raised when a damaged page is read, or when the error's own text is garbled.
_UNREADABLE = (sqlite3.Error, ValueError)
#: A larger gap between ids comes from a flipped byte, not from us.
_MAX_ID_GAP = 1_000_000
_PARTS = ("-wal", "-shm", "")


def path_for_new(path: Path) -> Path:
    """The path of the new file; leftovers of an interrupted salvage are deleted."""
    new = path.with_name(f"{path.name}.new")
    for part in (*_PARTS, "-journal"):
        new.with_name(new.name + part).unlink(missing_ok=True)
    return new


def replace_damaged(path: Path, new: Path | None = None) -> Path | None:
    """Move the damaged file aside and the complete file `new` to `path`.

    Without `new`: complete a replacement that a power cut interrupted, if there is one. Returns
    where the damaged file is now, None where there was nothing to do.
    """
    ready = path.with_name(f"{path.name}.salvaged")
    if new is not None:
        new.replace(ready)
    if not ready.exists():
        return None
    damaged = _move_aside(path)
    ready.replace(path)
    return damaged


def _move_aside(path: Path) -> Path:
    """Rename the file and its journal; earlier damaged files are not overwritten."""
    number = 1
    while (damaged := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for part in _PARTS:
        old = path.with_name(path.name + part)
        if old.exists():
            old.replace(damaged.with_name(damaged.name + part))
    return damaged


def salvage(db: sqlite3.Connection, damaged: Path) -> int:
    """Copy every readable row of the damaged file; returns how many are known to be lost.

    Runs in the caller's transaction.
    """
    with contextlib.closing(sqlite3.connect(damaged, isolation_level=None)) as old:
        # Lets SQLite read a table although the SQL of another is garbled; nothing is written.
        old.execute("PRAGMA writable_schema = ON")
        _copy_facts(db, old)
        columns = _columns(old)
        lost = _copy_rows(db, old, columns)
        if columns == schema.FIRST:
            db.execute(schema.OWN_TIME)
    return lost


def _columns(old: sqlite3.Connection) -> str:
    """The columns of the damaged file's layout."""
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
    """Copy row by row, so that a damaged page loses only its own rows."""
    known: set[int] = set()
    scans = [_collect_ids(old, sql, known) for sql in _SCANS]
    complete = any(scans)
    if not known:
        return 0 if complete else 1  # the number is unknown: count at least one
    ids = sorted(known) if complete else _possible_ids(old, known)
    return sum(_copy_row(db, old, columns, id_, id_ in known) for id_ in ids)


#: The ids are in the table and in two indexes. Scanning each from both ends collects the ids
#: before and after a damaged page.
_SCANS = [
    f"SELECT id FROM report {by} {order}"  # noqa: S608 - constants
    for by, order in (
        ("INDEXED BY report_state", "ORDER BY state, id"),
        ("INDEXED BY report_state", "ORDER BY state DESC, id DESC"),
        ("INDEXED BY report_evidence", "ORDER BY evidence, id"),
        ("INDEXED BY report_evidence", "ORDER BY evidence DESC, id DESC"),
        ("NOT INDEXED", "ORDER BY id"),
        ("NOT INDEXED", "ORDER BY id DESC"),
    )
]


def _collect_ids(old: sqlite3.Connection, sql: str, known: set[int]) -> bool:
    """Add ids to `known` up to the first damaged page; whether the scan came to its end."""
    try:
        for (id_,) in old.execute(sql):
            if isinstance(id_, int):
                known.add(id_)
    except _UNREADABLE:
        return False
    return True


def _possible_ids(old: sqlite3.Connection, known: Collection[int]) -> Collection[int]:
    """All ids from the first to the last, as no scan may have reached some pages between."""
    first, last = min(known), max(known)
    with contextlib.suppress(*_UNREADABLE, TypeError):
        found = old.execute("SELECT seq FROM sqlite_sequence WHERE name = 'report'").fetchone()
        last = found[0] if last < found[0] < last + _MAX_ID_GAP else last
    return range(first, last + 1) if last - first < _MAX_ID_GAP else sorted(known)


def _copy_row(
    db: sqlite3.Connection, old: sqlite3.Connection, columns: str, id_: int, known: bool
) -> int:
    """Copy one row; returns 1 when it is lost."""
    columns = f"id, {columns}"  # the id stays: the window refers to rows by it
    find = f"SELECT {columns} FROM report WHERE id = ?"  # noqa: S608 - the caller's constant
    try:
        row = old.execute(find, (id_,)).fetchone()
    except _UNREADABLE:
        return 1
    if row is None:
        return int(known)
    marks = ", ".join("?" * len(row))
    try:
        db.execute(f"INSERT INTO report ({columns}) VALUES ({marks})", row)  # noqa: S608
    except (sqlite3.IntegrityError, ValueError):
        return 1
    return 0


#: Rows with values we never write. SQLite accepts them, but no receipt could ever match them.
_INVALID = """
    typeof(boot) != 'text' OR length(boot) != 16 OR boot GLOB '*[^0-9a-f]*'
    OR typeof(number) != 'integer' OR number NOT BETWEEN 2 AND 9999999999999999
    OR state NOT IN (0, 1, 2) OR typeof(size) != 'integer' OR size < 0
    OR typeof(elapsed) != 'integer' OR typeof(wall) != 'integer'
    OR typeof(guess) NOT IN ('integer', 'null') OR typeof(time) NOT IN ('integer', 'null')
    OR (sealed IS NULL AND readings IS NULL) OR (sealed IS NOT NULL AND time IS NULL)
    OR (state = 2 AND typeof(receipted) != 'integer')
"""


def delete_invalid(db: sqlite3.Connection) -> int:
    """Delete rows that could never be sent or receipted; returns how many."""
    db.execute("UPDATE report SET state = 0 WHERE state = 1 AND typeof(retry) != 'integer'")
    return db.execute(f"DELETE FROM report WHERE {_INVALID}").rowcount  # noqa: S608 - constant

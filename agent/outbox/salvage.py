"""What is left of a damaged outbox: read row by row into a new file, which then takes its place.

The new file is whole before the damaged one is moved: a power cut amid the salvage costs nothing.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection
from pathlib import Path

from agent.outbox import schema

#: What reading a damaged page, or telling of it, may raise.
_UNREADABLE = (sqlite3.Error, ValueError)
#: Ids farther apart than this are a flipped byte's, not ours.
_FAR = 1_000_000
_PARTS = ("-wal", "-shm", "")


def begin(path: Path) -> Path:
    """Where the new file is made; what a salvage before left there is of no use."""
    new = path.with_name(f"{path.name}.new")
    for part in (*_PARTS, "-journal"):
        new.with_name(new.name + part).unlink(missing_ok=True)
    return new


def finish(path: Path, new: Path | None = None) -> Path | None:
    """Put the whole file `new` in the damaged one's place, or end what a power cut interrupted.

    Returns where the damaged file is now; None where nothing was to be done.
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
    """Rename the file and its journal; never over a file that was moved before."""
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

    Inside a change of the caller's.
    """
    with contextlib.closing(sqlite3.connect(damaged, isolation_level=None)) as old:
        # A table whose neighbour's SQL is garbled can be read still; nothing is written.
        old.execute("PRAGMA writable_schema = ON")
        _copy_facts(db, old)
        columns = _columns(old)
        lost = _copy_rows(db, old, columns)
        if columns == schema.FIRST:
            db.execute(schema.OWN_TIME)
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
    known: set[int] = set()
    ends = [_walk(old, sql, known) for sql in _WALKS]
    complete = any(ends)
    if not known:
        return 0 if complete else 1  # nothing tells how many there were: at least one
    ids = sorted(known) if complete else _span(old, known)
    return sum(_copy_row(db, old, columns, id_, id_ in known) for id_ in ids)


#: The table and two indexes know the ids: of each, both sides of a bad page can be read.
_WALKS = [
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


def _walk(old: sqlite3.Connection, sql: str, known: set[int]) -> bool:
    """Collect ids until the end, or the first bad page; whether it was the end."""
    try:
        for (id_,) in old.execute(sql):
            if isinstance(id_, int):
                known.add(id_)
    except _UNREADABLE:
        return False
    return True


def _span(old: sqlite3.Connection, known: Collection[int]) -> Collection[int]:
    """All ids from the first to the last, since some stand on pages that no walk came to."""
    first, last = min(known), max(known)
    with contextlib.suppress(*_UNREADABLE, TypeError):
        found = old.execute("SELECT seq FROM sqlite_sequence WHERE name = 'report'").fetchone()
        last = found[0] if last < found[0] < last + _FAR else last
    return range(first, last + 1) if last - first < _FAR else sorted(known)


def _copy_row(
    db: sqlite3.Connection, old: sqlite3.Connection, columns: str, id_: int, known: bool
) -> int:
    """Copy one row; returns 1 when it is lost."""
    columns = f"id, {columns}"  # what is under way is known by its id
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

"""SQLite files: a write-ahead log, changes that are whole or absent, a layout by steps.

`PRAGMA user_version` is the number of the layout's steps that a file has gone through. The first
step of files that are older than that number says `IF NOT EXISTS`: they stand at 0 and have
tables.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.common import ownership
from agent.common.command_line import RefusedError
from agent.common.language import say

_WAIT_S, _RETRY_S = 5.0, 0.01


class NewerFileError(RefusedError):
    """A later version of the program made the file; the message names it and the fix."""


def open_file(path: Path, steps: Sequence[str], *, timeout: float = _WAIT_S) -> sqlite3.Connection:
    """Open or make a file that threads share, in the layout that `steps` end in.

    Transactions are explicit, and a commit is on the disk on return. `timeout`
    is how long a statement waits for another process's, s.

    Raises:
        OSError, sqlite3.Error: it cannot be opened, read or written.
        NewerFileError: see `migrate`.
    """
    ownership.make_folder(path.parent)
    ownership.new_file(path)  # SQLite gives its log to the file's owner by itself
    db = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        use_wal(db)
        db.execute("PRAGMA synchronous = FULL")
        migrate(db, steps, path)
    except BaseException:
        db.close()
        raise
    return db


def migrate(db: sqlite3.Connection, steps: Sequence[str], path: Path) -> None:
    """Bring a file to the layout after the last of `steps`, each a script of SQL statements.

    All of it is on the disk on return, or none of it; a file that is there already is not
    written. Of two processes that open a file at once, one does it.

    Raises:
        sqlite3.Error: the file cannot be read or written, or a step does not fit it.
        NewerFileError: the file has gone through more steps than there are.
    """
    if layout(db) == len(steps):
        return
    with transaction(db):
        found = layout(db)
        if not 0 <= found <= len(steps):
            raise NewerFileError(newer(path))
        for script in steps[found:]:
            for statement in _statements(script):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(steps)}")


def layout(db: sqlite3.Connection) -> int:
    """How many steps the file has gone through."""
    (found,) = db.execute("PRAGMA user_version").fetchone()
    return int(found)


def newer(path: Path) -> str:
    """The message about a file that a later version made."""
    return say(
        f"{path}: 是更新版本的软件写的，请先升级",
        f"{path}: was written by a newer version; upgrade",
    )


def _statements(script: str) -> Iterator[str]:
    """The statements of a script; a trigger's own semicolons end none."""
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            if statement.strip() != ";":
                yield statement
            statement = ""


def use_wal(db: sqlite3.Connection) -> None:
    """Keep a write-ahead log from now on.

    SQLite waits for its `timeout` at every statement but this one, so it is tried again here:
    nothing says when the other's change has ended.

    Raises:
        sqlite3.Error: the file is no database, cannot be written, or is locked for 5 s.
    """
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            if db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)
        else:
            return


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All changes of the block, or none where it raises. Raises sqlite3.Error."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # on a full disk SQLite has rolled back already
            db.execute("ROLLBACK")
        raise

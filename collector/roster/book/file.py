"""The file of the register's book: its tables, and the errors of opening and using it.

BookError               the book cannot be read or written; the message names the fix
├── NoRegisterError     nothing has been imported yet
└── DamagedBookError    the file is not a register book, or is incomplete
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.common.command_line import RefusedError
from agent.common.language import say
from agent.common.sqlite import layout, migrate, newer, use_wal

_APPLICATION = 0x53505247  # "SPRG": marks our file among SQLite files
WAIT_S = 10.0
_FIRST = f"""
CREATE TABLE import (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    imported_at TEXT NOT NULL, who TEXT NOT NULL, source TEXT NOT NULL,
    sheets TEXT NOT NULL, counts TEXT NOT NULL, sha256 TEXT NOT NULL, rows BLOB NOT NULL
);
CREATE TABLE inspection (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    school TEXT NOT NULL, indicator TEXT NOT NULL, unit TEXT NOT NULL, day TEXT NOT NULL,
    inspector TEXT NOT NULL, found INTEGER NOT NULL, note TEXT NOT NULL,
    entered_at TEXT NOT NULL, entered_by TEXT NOT NULL,
    UNIQUE (school, indicator, unit, day, inspector, found, note)
);
CREATE TABLE state (version INTEGER NOT NULL);
INSERT INTO state VALUES (0);
PRAGMA application_id = {_APPLICATION};
"""  # noqa: S608 - a constant of ours
#: A book of the first layout may have some of these tables: they were created when first needed.
_BESIDE = """
CREATE TABLE IF NOT EXISTS decision (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    school TEXT NOT NULL, machine TEXT NOT NULL, act TEXT NOT NULL, target TEXT NOT NULL,
    entered_at TEXT NOT NULL, entered_by TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS policy (
    scope TEXT PRIMARY KEY, layer BLOB NOT NULL, who TEXT NOT NULL, set_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS mute (
    school TEXT PRIMARY KEY, until TEXT NOT NULL, reason TEXT NOT NULL,
    entered_at TEXT NOT NULL, entered_by TEXT NOT NULL
);
"""
#: Records are kept for good: a void is a record of its own. The same words may be recorded anew
#: once the earlier record is void, so no constraint makes them unique.
_VOIDS = """
CREATE TABLE kept_inspection (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    school TEXT NOT NULL, indicator TEXT NOT NULL, threshold_mbps REAL, unit TEXT NOT NULL,
    day TEXT NOT NULL, inspector TEXT NOT NULL, found INTEGER NOT NULL, note TEXT NOT NULL,
    file TEXT NOT NULL, file_sha256 TEXT NOT NULL, replaces INTEGER,
    entered_at TEXT NOT NULL, entered_by TEXT NOT NULL
);
INSERT INTO kept_inspection
    SELECT number, school, CASE indicator WHEN 'line_10m' THEN 'line' ELSE indicator END,
        CASE indicator WHEN 'line_10m' THEN 10.0 END, unit, day, inspector, found, note, '', '',
        NULL, entered_at, entered_by
    FROM inspection ORDER BY number;
DROP TABLE inspection;
ALTER TABLE kept_inspection RENAME TO inspection;
CREATE INDEX inspection_unit ON inspection (school, indicator, unit, day);
CREATE INDEX inspection_replaces ON inspection (replaces) WHERE replaces IS NOT NULL;
CREATE TABLE inspection_void (
    inspection INTEGER PRIMARY KEY, why TEXT NOT NULL,
    entered_at TEXT NOT NULL, entered_by TEXT NOT NULL
);
CREATE TRIGGER inspection_changed BEFORE UPDATE ON inspection
BEGIN SELECT RAISE(ABORT, 'inspections are only added'); END;
CREATE TRIGGER inspection_deleted BEFORE DELETE ON inspection
BEGIN SELECT RAISE(ABORT, 'inspections are only added'); END;
CREATE TRIGGER void_changed BEFORE UPDATE ON inspection_void
BEGIN SELECT RAISE(ABORT, 'voids are only added'); END;
CREATE TRIGGER void_deleted BEFORE DELETE ON inspection_void
BEGIN SELECT RAISE(ABORT, 'voids are only added'); END;
ALTER TABLE import ADD COLUMN part TEXT NOT NULL DEFAULT '{}';
ALTER TABLE import ADD COLUMN restores INTEGER;
"""
_LAYOUT = (_FIRST, _BESIDE, _VOIDS)


class BookError(RefusedError, ValueError):
    """The book cannot be used; the message says why and names the fix."""


class NoRegisterError(BookError):
    """Nothing has been imported yet."""


class DamagedBookError(BookError):
    """The file is not a register book, or is incomplete."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection without implicit transactions; a commit returns when the disk has it."""
    base = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
    base.execute("PRAGMA synchronous = FULL")
    return base


def create(path: Path, base: sqlite3.Connection) -> None:
    """Create the tables, or migrate an older book; safe when two processes do it at once.

    Another program's file, and one of a newer version, are left unchanged.
    """
    if not _is_empty(base) and (_application(base) != _APPLICATION or _is_newer(base)):
        return
    use_wal(base)  # readers never wait for an import
    migrate(base, _LAYOUT, path)


@contextmanager
def reading(path: Path, base: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """The book in today's layout, for reading alone.

    Reading does not write the file: an older one is brought up to date in memory.
    """
    verify(path, base)
    if layout(base) == len(_LAYOUT):
        yield base
        return
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        base.backup(copy)
        migrate(copy, _LAYOUT, path)
        yield copy


def _is_empty(base: sqlite3.Connection) -> bool:
    return not base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _application(base: sqlite3.Connection) -> int:
    return int(base.execute("PRAGMA application_id").fetchone()[0])


def _is_newer(base: sqlite3.Connection) -> bool:
    return layout(base) > len(_LAYOUT)


def verify(path: Path, base: sqlite3.Connection) -> None:
    """Check that the file is a register book with a layout that this version knows.

    Raises:
        NoRegisterError: the file is empty.
        DamagedBookError: it is another kind of file.
        BookError: a newer version wrote it.
    """
    if not _application(base) and _is_empty(base):
        raise NoRegisterError(none_yet(path))
    if _application(base) != _APPLICATION:
        raise DamagedBookError(unusable(path, say("不是台账库", "is not a register book")))
    if _is_newer(base):
        raise BookError(newer(path))


@contextmanager
def explained_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into messages that name the file and the fix.

    Raises:
        BookError: the file is in use, cannot be written, or its disk is full or failing.
        DamagedBookError: the file is damaged.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        known = _hint(getattr(error, "sqlite_errorname", ""))
        if known:
            raise BookError(f"{path}: {known}") from error
        raise BookError(unusable(path, str(error))) from error
    except sqlite3.DatabaseError as error:
        raise DamagedBookError(unusable(path, str(error))) from error


def _hint(code: str) -> str:
    """The fix for an error of the machine, not of the file; empty if none is known."""
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return say("另一个导入正在进行，请稍后再试", "another import is under way; try again")
    if code.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY")):
        return say(
            "没有读写权限，检查文件和所在目录",
            "no permission to write; check the folder's permissions",
        )
    if code.startswith("SQLITE_FULL"):
        return say(
            "磁盘已满，先腾出空间；原有台账未动", "the disk is full; the register is as before"
        )
    if code.startswith(
        "SQLITE_IOERR"
    ):  # SQLite reports this, not FULL, if the WAL file finds no room
        return say(
            "磁盘读写失败，多半已满：先腾出空间，再检查磁盘；台账文件不要动",
            "the disk fails, most likely full: free some room, check it; leave the file alone",
        )
    return ""


def none_yet(path: Path) -> str:
    """The message before the first import."""
    return say(
        f"{path}: 还没有台账。先运行 schoolpulse roster import 文件夹",
        f"{path}: no register yet. Run schoolpulse roster import DIR first",
    )


def unusable(path: Path, reason: str) -> str:
    """The message for a file that cannot be used."""
    return say(
        f"{path}: 台账库不能用：{reason}。从备份恢复；没有备份就把它移开，再重新导入",
        f"{path}: cannot be used: {reason}. Restore a backup; or move it away and import again",
    )

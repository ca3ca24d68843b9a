"""Schools whose alerts are silenced for a while: under repair, moving, closed early.

Mutes are kept in the register's book, with who set them and why. A mute stops alerts only: the
school is still measured, and boards and the figure show it as it is.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from collector.roster.book.file import connect, create, explained_errors, verify


@dataclass(frozen=True, slots=True)
class Mute:
    """A school without alerts until the end of the day `until`."""

    school: str
    until: dt.date
    reason: str
    by: str


def set_mute(path: Path, mute: Mute, now: dt.datetime) -> None:
    """Store a mute in the book at `path`, in place of the school's earlier one.

    Raises:
        BookError: the book cannot be written.
    """
    values = (mute.school, mute.until.isoformat(), mute.reason, now.isoformat(), mute.by)
    with _open(path) as base:
        base.execute("INSERT OR REPLACE INTO mute VALUES (?, ?, ?, ?, ?)", values)


def end_mute(path: Path, school: str) -> bool:
    """Remove a school's mute; returns whether there was one.

    Raises:
        BookError: the book cannot be written.
    """
    with _open(path) as base:
        return base.execute("DELETE FROM mute WHERE school = ?", (school,)).rowcount > 0


def mutes(path: Path, today: dt.date) -> list[Mute]:
    """The mutes in force on `today`, by school; empty if there is no book.

    Raises:
        BookError: the book cannot be read.
    """
    if not path.exists():
        return []
    with _open(path) as base:
        rows = base.execute("SELECT school, until, reason, entered_by FROM mute ORDER BY school")
        found = [Mute(code, dt.date.fromisoformat(day), why, by) for code, day, why, by in rows]
    return [mute for mute in found if mute.until >= today]


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    with explained_errors(path), closing(connect(path)) as base:
        create(path, base)
        verify(path, base)
        base.execute("BEGIN IMMEDIATE")
        yield base
        base.execute("COMMIT")

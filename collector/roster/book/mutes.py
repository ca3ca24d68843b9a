"""Schools about which nobody is to be told for a while: under repair, moving, closed early.

They stand in the register's book, with who said so and why. A mute stops messages, never the
measuring: boards and the figure show the school as it is.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from collector.roster.book.file import connect, create, told, verify


@dataclass(frozen=True, slots=True)
class Mute:
    """A school of which nothing is told up to and with the day `until`."""

    school: str
    until: dt.date
    reason: str
    by: str


def set_mute(path: Path, mute: Mute, now: dt.datetime) -> None:
    """Keep a mute in the book at `path`, in place of the school's earlier one.

    Raises:
        BookError: the book cannot be written.
    """
    values = (mute.school, mute.until.isoformat(), mute.reason, now.isoformat(), mute.by)
    with _open(path) as base:
        base.execute("INSERT OR REPLACE INTO mute VALUES (?, ?, ?, ?, ?)", values)


def end_mute(path: Path, school: str) -> bool:
    """Take a school's mute back; whether there was one.

    Raises:
        BookError: the book cannot be written.
    """
    with _open(path) as base:
        return base.execute("DELETE FROM mute WHERE school = ?", (school,)).rowcount > 0


def mutes(path: Path, today: dt.date) -> list[Mute]:
    """The mutes in force on `today`, by school; none where there is no book.

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
    with told(path), closing(connect(path)) as base:
        create(path, base)
        verify(path, base)
        base.execute("BEGIN IMMEDIATE")
        yield base
        base.execute("COMMIT")

"""Which credential each PC last said that it holds, as the collector heard it in its hello.

A PC has *moved* once it has begun a boot with the new credential: one behind a restore card takes
it at every boot and has forgotten it at the next, and must not be locked out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from agent.common import sqlite

_STEPS = (
    """
    CREATE TABLE seen (
      school TEXT NOT NULL, machine TEXT NOT NULL, generation INTEGER NOT NULL,
      at_ms INTEGER NOT NULL, boot TEXT NOT NULL, kept INTEGER NOT NULL, ca TEXT NOT NULL,
      PRIMARY KEY (school, machine)
    ) WITHOUT ROWID;
    """,
)


#: PCs of a school that are written down: whoever holds its credential can invent more.
MOST = 1000


class Heard(NamedTuple):
    """What one hello said. `ca`: the digest of the CA file that the PC trusts; empty: not said."""

    school: str
    machine: str
    boot: str
    generation: int
    ca: str
    at_ms: int


class Seen(NamedTuple):
    """The last word of one PC. `kept`: it held that from the beginning of the boot on."""

    school: str
    machine: str
    generation: int
    at_ms: int
    boot: str
    kept: bool
    ca: str


class SeenBook:
    """The file credentials.db. Used by one thread."""

    def __init__(self, path: Path) -> None:
        """Open or make it.

        Raises:
            OSError, sqlite3.Error: it cannot be opened or written.
            NewerFileError: a later version made it.
        """
        self._db = sqlite.open_file(path, _STEPS)

    def note(self, heard: Iterable[Heard]) -> None:
        """Write what was said, oldest first. Raises sqlite3.Error: nothing is written."""
        with sqlite.transaction(self._db):
            for one in heard:
                self._note(one)

    def _note(self, one: Heard) -> None:
        query = "SELECT * FROM seen WHERE school = ? AND machine = ?"
        found = self._db.execute(query, one[:2]).fetchone()
        if found is None:
            query = "SELECT COUNT(*) FROM seen WHERE school = ?"
            if self._db.execute(query, one[:1]).fetchone()[0] >= MOST:
                return
        row = after(Seen(*found) if found else None, one)
        self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def of(self, school: str, since_ms: int) -> list[Seen]:
        """The PCs of a school that spoke since then. Raises sqlite3.Error."""
        query = "SELECT * FROM seen WHERE school = ? AND at_ms >= ?"
        return list(map(Seen._make, self._db.execute(query, (school, since_ms))))

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def after(before: Seen | None, heard: Heard) -> Seen:
    """What is known of a PC after a hello. What it took within a boot may be gone at the next."""
    same_boot = before is not None and before.boot == heard.boot
    said = heard.generation, heard.ca
    kept = not same_boot or (before.kept and (before.generation, before.ca) == said)  # type: ignore[union-attr]
    return Seen(*heard[:2], heard.generation, heard.at_ms, heard.boot, kept, heard.ca)


def read(path: Path, since_ms: int = 0) -> dict[str, list[Seen]]:
    """By school, the PCs that spoke since then; none where there is no file yet.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    found: dict[str, list[Seen]] = {}
    for row in _rows(path, since_ms):
        found.setdefault(row.school, []).append(row)
    return found


def _rows(path: Path, since_ms: int) -> Iterator[Seen]:
    if not path.exists():
        return
    query = "SELECT * FROM seen WHERE at_ms >= ? ORDER BY school, machine"
    with closing(sqlite3.connect(path)) as db:
        yield from map(Seen._make, db.execute(query, (since_ms,)))

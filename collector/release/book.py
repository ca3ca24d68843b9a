"""releases.db: the versions, their stages, and how far each PC is."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from agent.common import ownership
from agent.common.sqlite import open_file, transaction
from agent.wire.release import Manifest, Platform, ReleaseFile

FILE = "releases.db"
_LAYOUT = (
    "CREATE TABLE file (version TEXT, platform TEXT, sha256 TEXT NOT NULL, size INTEGER NOT NULL,"
    " name TEXT NOT NULL, not_before INTEGER NOT NULL, PRIMARY KEY (version, platform));"
    "CREATE TABLE withdrawn (version TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, why TEXT NOT NULL);"
    "CREATE TABLE stage (id INTEGER PRIMARY KEY, version TEXT NOT NULL, schools TEXT NOT NULL,"
    " percent INTEGER NOT NULL, since_ms INTEGER NOT NULL, stopped_ms INTEGER,"
    " why TEXT NOT NULL DEFAULT '');"
    "CREATE TABLE pc (version TEXT, school TEXT, machine TEXT, state TEXT NOT NULL,"
    " at_ms INTEGER NOT NULL, began_ms INTEGER, PRIMARY KEY (version, school, machine))"
    " WITHOUT ROWID;"
    "CREATE TABLE serial (last INTEGER NOT NULL);"
    "INSERT INTO serial VALUES (0);",
)


class Stage(NamedTuple):
    """Which PCs are to have a version; `schools` empty: all. Times in ms since 1970 UTC."""

    id: int
    version: str
    schools: tuple[str, ...]
    percent: int
    since_ms: int
    stopped_ms: int | None = None
    why: str = ""


class Pc(NamedTuple):
    """How far a PC is with a version: its last state, and when its installation began."""

    version: str
    school: str
    machine: str
    state: str  # as it reports it, without the version: installing, failed:no_space
    at_ms: int
    began_ms: int | None = None


class ReleaseBook:
    """For several threads and processes."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises sqlite3.Error, OSError, NewerFileError."""
        self._lock = threading.RLock()
        ownership.make_folder(path.parent)
        ownership.new_file(path)  # root's too is the service's: it writes there what PCs report
        self._db = open_file(path, _LAYOUT)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def add(self, file: ReleaseFile) -> None:
        """Add a version's file for a system, or put another in its place."""
        row = (
            file.version, file.platform, file.sha256, file.size, file.name, file.not_before,
        )  # fmt: skip
        self._do("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?)", row)

    def withdraw(self, version: str, why: str, now_ms: int) -> None:
        """For ever: it is offered to nobody from now on."""
        self._do("INSERT OR IGNORE INTO withdrawn VALUES (?, ?, ?)", (version, now_ms, why))
        self.stop(version, why, now_ms)

    def stage(self, version: str, schools: Sequence[str], percent: int, now_ms: int) -> None:
        """From now on these PCs are to have it."""
        self._do(
            "INSERT INTO stage (version, schools, percent, since_ms) VALUES (?, ?, ?, ?)",
            (version, ",".join(schools), percent, now_ms),
        )

    def stop(self, version: str, why: str, now_ms: int) -> None:
        """End all stages of a version."""
        self._do(
            "UPDATE stage SET stopped_ms = ?, why = ? WHERE version = ? AND stopped_ms IS NULL",
            (now_ms, why, version),
        )

    def files(self) -> list[ReleaseFile]:
        """All files, withdrawn versions' too."""
        return [_file(*row) for row in self._all("SELECT * FROM file ORDER BY version, platform")]

    def withdrawn(self) -> dict[str, str]:
        """The withdrawn versions, and why."""
        return dict(self._all("SELECT version, why FROM withdrawn ORDER BY version"))

    def stages(self, *, running: bool = False) -> list[Stage]:
        """All stages, the newest first."""
        where = "WHERE stopped_ms IS NULL" if running else ""
        rows = self._all(f"SELECT * FROM stage {where} ORDER BY id DESC")  # noqa: S608 - ours
        return [
            Stage(number, version, tuple(filter(None, schools.split(","))), *rest)
            for number, version, schools, *rest in rows
        ]

    def next_manifest(self) -> Manifest:
        """A manifest of what there is, with a serial that no other had."""
        with self._lock:
            self._do("UPDATE serial SET last = last + 1", ())
            ((serial,),) = self._all("SELECT last FROM serial")
            gone = self.withdrawn()
            files = tuple(one for one in self.files() if one.version not in gone)
            return Manifest(v=1, serial=serial, files=files, withdrawn=tuple(gone))

    def note(self, rows: Iterable[Pc]) -> None:
        """What PCs reported; of several states of a PC the latest stays."""
        with self._lock, transaction(self._db):
            self._db.executemany(
                "INSERT INTO pc VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (version, school, machine) DO UPDATE SET state = excluded.state,"
                " at_ms = excluded.at_ms, began_ms = coalesce(excluded.began_ms, began_ms)"
                " WHERE excluded.at_ms > at_ms",
                list(rows),
            )

    def pcs(self, version: str) -> list[Pc]:
        """How far the PCs are with a version."""
        sql = "SELECT * FROM pc WHERE version = ? ORDER BY school, machine"
        return [Pc(*row) for row in self._all(sql, (version,))]

    def _do(self, sql: str, values: Sequence[object]) -> None:
        with self._lock:
            self._db.execute(sql, values)

    def _all(self, sql: str, values: Sequence[object] = ()) -> list[Any]:
        with self._lock, closing(self._db.cursor()) as cursor:
            return cursor.execute(sql, values).fetchall()


def _file(
    version: str, platform: Platform, sha256: str, size: int, name: str, not_before: int
) -> ReleaseFile:
    return ReleaseFile(version, platform, sha256, size, name, not_before)


def existing(folder: Path) -> ReleaseBook | None:
    """The book of a data folder; None where no release was ever added.

    Raises:
        sqlite3.Error, OSError, NewerFileError: it cannot be read.
    """
    path = folder / FILE
    return ReleaseBook(path) if path.exists() else None

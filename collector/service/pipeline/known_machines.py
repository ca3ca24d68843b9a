"""Which PCs of each school may report: those known, and new ones while there is room.

A PC that has a place keeps it, also where the limit is lowered later; one that was not seen for
`KEPT_DAYS`, was retired or merged gives it up when another needs it. The places are in
`machines.db`, so that a restart changes nothing. A collector without that file, and each of a
group from time to time, learns from the store's `machine_day` which PCs have one: those of before
this version, and those that another collector has let in. Until it has read that, it lets in all.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from agent.common import log
from agent.common.sqlite import open_file, transaction
from collector.roster.register import Register

FILE = "machines.db"
KEPT_DAYS = 180
_DAY_MS = 86_400_000
_SAVE_S = 1.0
_LAYOUT = (
    "CREATE TABLE IF NOT EXISTS known (school TEXT, machine TEXT, day INTEGER NOT NULL,"
    " PRIMARY KEY (school, machine)) WITHOUT ROWID;",
)
Key = tuple[str, str]  # school, machine


class KnownMachines:
    """`machines.db`, and the same in memory. For several threads; the file may be shared."""

    def __init__(self, path: Path, register: Callable[[], Register]) -> None:
        """Open or make the file. Raises sqlite3.Error, OSError, NewerFileError."""
        self._register = register
        self._lock = threading.Lock()
        self._db = open_file(path, _LAYOUT)
        # A place that a power cut forgets is taken again by the next report.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._days: dict[str, dict[str, int]] = {}  # school -> machine -> day last seen
        self._changed: set[Key] = set()
        self._full: dict[str, tuple[Register, int, int]] = {}  # what it was full for
        self._failing = False
        self._due = 0.0
        self.learnt = self._load() > 0

    def _load(self) -> int:
        rows = self._db.execute("SELECT school, machine, day FROM known").fetchall()
        for school, machine, day in rows:
            self._days.setdefault(school, {})[machine] = day
        return len(rows)

    def seen(self, school: str, machine: str, now_ms: int) -> bool:
        """Whether the PC has a place and has used it today: nearly always."""
        of_school = self._days.get(school)
        return of_school is not None and of_school.get(machine) == now_ms // _DAY_MS

    def knows(self, school: str, machine: str) -> bool:
        """Whether the PC has a place, used or not."""
        return machine in self._days.get(school, {})

    def admit(self, school: str, machine: str, limit: int, now_ms: int) -> bool:
        """Whether the PC may report; a new one takes a place, if one is free."""
        day = now_ms // _DAY_MS
        with self._lock:
            of_school = self._days.setdefault(school, {})
            if machine not in of_school:
                if not self.learnt:
                    return True
                if not self._room(school, machine, limit, day):
                    return False
            of_school[machine] = day
            self._changed.add((school, machine))
            return True

    def _room(self, school: str, machine: str, limit: int, day: int) -> bool:
        register, of_school = self._register(), self._days[school]
        if len(of_school) < limit or _bound(register, school, machine):
            return True
        if self._full.get(school) == (register, limit, day):
            return False  # asked for before: ten thousand invented ids must cost nothing
        for one in [m for m, seen in of_school.items() if seen < day - KEPT_DAYS]:
            del of_school[one]
            self._changed.add((school, one))
        if sum(not _given_up(register, school, one) for one in of_school) < limit:
            return True
        self._full[school] = register, limit, day
        return False

    def learn(self, machines: Iterable[tuple[str, str, int]]) -> None:
        """PCs that have a place, with the ms at which they were last seen: of the store."""
        with self._lock:
            for school, machine, at_ms in machines:
                of_school, day = self._days.setdefault(school, {}), at_ms // _DAY_MS
                if of_school.get(machine, -1) < day:
                    of_school[machine] = day
                    self._changed.add((school, machine))
            self.learnt = True

    def save_when_due(self) -> None:
        """Write what has changed, at most once a second; called often."""
        if self._changed and time.monotonic() >= self._due:
            self._due = time.monotonic() + _SAVE_S
            self.save()

    def save(self) -> None:
        """Write what has changed. What fails is logged once, and written by a later call."""
        with self._lock:
            if not self._changed:
                return
            try:
                self._write()
                self._failing = False
            except sqlite3.Error as error:
                if not self._failing:
                    log.warning("machines_not_saved", reason=error)
                self._failing = True

    def _write(self) -> None:
        rows = [(s, m, self._days[s].get(m)) for s, m in self._changed]
        with transaction(self._db):
            self._db.executemany(
                "INSERT INTO known VALUES (?, ?, ?)"
                " ON CONFLICT (school, machine) DO UPDATE SET day = excluded.day",
                [row for row in rows if row[2] is not None],
            )
            self._db.executemany(
                "DELETE FROM known WHERE school = ? AND machine = ?",
                [row[:2] for row in rows if row[2] is None],
            )
        self._changed.clear()

    def count(self, school: str) -> int:
        """How many PCs of a school have a place."""
        return len(self._days.get(school, {}))

    def close(self) -> None:
        """Write what has changed, and close the file."""
        self.save()
        with self._lock:
            self._db.close()


def _bound(register: Register, school: str, machine: str) -> bool:
    """Whether the register names this very PC."""
    decided = register.decided.get((school, machine))
    if decided is not None:
        return decided.act == "bind"
    return any(row.pattern == machine for row in register.machines_of.get(school, ()))


def _given_up(register: Register, school: str, machine: str) -> bool:
    decided = register.decided.get((school, machine))
    return decided is not None and decided.act in ("retire", "merge")

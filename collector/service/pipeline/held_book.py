"""What was held, by school and reason: how often, since when, and an example. Bounded."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from agent.common import log
from agent.common.sqlite import open_file, transaction
from collector.ingest import Held

FILE = "held.db"
#: Rows kept, the newest: a city of 600 schools has some hundred.
MOST = 5000
_FLUSH_S = 5.0
_LAYOUT = (
    "CREATE TABLE IF NOT EXISTS held (school TEXT, reason TEXT, times INTEGER NOT NULL,"
    " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, machine TEXT NOT NULL,"
    " boot TEXT NOT NULL, number INTEGER NOT NULL, detail TEXT NOT NULL,"
    " PRIMARY KEY (school, reason)) WITHOUT ROWID;",
)


class HeldRow(NamedTuple):
    """One school and reason. An agent asks again, so one report may be counted several times.

    The example is the last one; `detail` as `collector.ingest.Held` has it.
    """

    school: str
    reason: str
    times: int
    first_ms: int
    last_ms: int
    machine: str
    boot: str
    number: int
    detail: str


class HeldBook:
    """`held.db`. For several threads and processes; what is noted is written every 5 s."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises sqlite3.Error, OSError, NewerFileError."""
        self._lock = threading.Lock()
        self._db = open_file(path, _LAYOUT)
        # It tells people what happens, and is no promise: a power cut may cost the last seconds.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._noted: dict[tuple[str, str], HeldRow] = {}
        self._due = time.monotonic() + _FLUSH_S
        self._failing = False

    def note(self, held: Sequence[Held], now_ms: int) -> None:
        """Count them; written when due."""
        if not held:
            return
        with self._lock:
            for item in held:
                key, before = (item.source.school, item.reason), None
                before = self._noted.get(key)
                if before is None and len(self._noted) >= MOST:
                    continue
                times, first = (before.times, before.first_ms) if before else (0, now_ms)
                source = item.source
                self._noted[key] = HeldRow(
                    *key, times + 1, first, now_ms,
                    source.machine, source.boot, source.number, item.detail,
                )  # fmt: skip

    def flush_when_due(self) -> None:
        """Write what is noted, every few seconds; called often."""
        if self._noted and time.monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Write what is noted. What fails is logged once, and written by a later call."""
        with self._lock:
            self._due = time.monotonic() + _FLUSH_S
            try:
                self._write(self._noted.values())
            except sqlite3.Error as error:
                if not self._failing:
                    log.warning("held_not_saved", reason=error)
                self._failing = True
                return
            for row in self._noted.values():
                log.info("held", school=row.school, reason=row.reason, times=row.times)
            self._noted, self._failing = {}, False

    def _write(self, rows: Iterable[HeldRow]) -> None:
        with transaction(self._db):
            self._db.executemany(
                "INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (school, reason) DO UPDATE SET times = times + excluded.times,"
                " last_ms = excluded.last_ms, machine = excluded.machine, boot = excluded.boot,"
                " number = excluded.number, detail = excluded.detail",
                list(rows),
            )
            self._db.execute(
                "DELETE FROM held WHERE (school, reason) IN (SELECT school, reason FROM held"
                " ORDER BY last_ms DESC LIMIT -1 OFFSET ?)",
                (MOST,),
            )

    def rows(self, school: str = "") -> list[HeldRow]:
        """What is written, of one school or of all, by school and reason."""
        with self._lock, closing(self._db.cursor()) as cursor:
            sql = "SELECT * FROM held WHERE ? IN ('', school) ORDER BY school, reason"
            return [HeldRow(*row) for row in cursor.execute(sql, (school,))]

    def close(self) -> None:
        """Write what is noted, and close the file."""
        if self._noted:
            self.flush()
        with self._lock:
            self._db.close()

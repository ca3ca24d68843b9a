"""Which credentials a city has given out, when and by whom; the rest is made from this.

Key files, broker accounts, renewals and bundles are written again from here wherever they are
missing: a run that is killed leaves at worst what the next one finishes. A change and its line in
the journal are one transaction.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from agent.common import sqlite
from collector.enrol import owned

_STEPS = (
    """
    CREATE TABLE credential (
      school TEXT NOT NULL, generation INTEGER NOT NULL,
      password TEXT NOT NULL, line_key TEXT NOT NULL, source_key TEXT NOT NULL,
      made_ms INTEGER NOT NULL, made_by TEXT NOT NULL,
      ended_ms INTEGER, ended_why TEXT NOT NULL DEFAULT '',
      PRIMARY KEY (school, generation)
    ) WITHOUT ROWID;
    CREATE TABLE rotation (
      school TEXT PRIMARY KEY, begun_ms INTEGER NOT NULL, until TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE journal (
      id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL, act TEXT NOT NULL,
      school TEXT NOT NULL, detail TEXT NOT NULL
    );
    CREATE TRIGGER journal_kept BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is only added to'); END;
    CREATE TRIGGER journal_whole BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is only added to'); END;
    """,
)
_ACTIVE = """
    SELECT school, generation, password, line_key, source_key, made_ms, made_by
    FROM credential WHERE ended_ms IS NULL ORDER BY school, generation
"""
_DRAWN = """
    INSERT INTO credential
      (school, generation, password, line_key, source_key, made_ms, made_by)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""

_IN_FILE = "hivemq"  # the act of bringing its file up to date, in the journal


def username(school: str, generation: int) -> str:
    """The broker's account: the school's code, from the second generation on with `-2`, …"""
    return school if generation == 1 else f"{school}-{generation}"


class Credential(NamedTuple):
    """What the PCs of a school hold. `password` and the keys are hex, 32 random bytes each."""

    school: str
    generation: int
    password: str
    line_key: str
    source_key: str
    made_ms: int
    made_by: str

    def __repr__(self) -> str:  # no secret may come into a log or a traceback
        return f"Credential({self.username})"

    @property
    def username(self) -> str:
        """The broker's account."""
        return username(self.school, self.generation)


class Held(NamedTuple):
    """A school's credentials that work: the present one, and during a rotation the former."""

    now: Credential
    former: Credential | None = None

    @property
    def all(self) -> tuple[Credential, ...]:
        """Both, the former one first."""
        return (self.now,) if self.former is None else (self.former, self.now)


class Rotation(NamedTuple):
    """One under way. `until` is the last day of the former credential, empty: none is set."""

    school: str
    begun_ms: int
    until: str


class Entry(NamedTuple):
    """A line of the journal."""

    at_ms: int
    who: str
    act: str
    school: str
    detail: str


class State:
    """The file enrol.db; a context manager that closes it."""

    def __init__(self, path: Path, who: str) -> None:
        """Open or make it; `who` is written down with every change.

        Raises:
            OSError, sqlite3.Error: it cannot be opened or written.
            NewerFileError: a later version made it.
        """
        with owned.private():
            self._db = sqlite.open_file(path, _STEPS)
        owned.protect(path, owned.Kind(0o600, owned.SERVICE))
        self._db.execute("PRAGMA secure_delete = ON")
        self._who = who

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def held(self) -> dict[str, Held]:
        """By school, what works now."""
        found: dict[str, Held] = {}
        for row in map(Credential._make, self._db.execute(_ACTIVE)):
            before = found.get(row.school)
            found[row.school] = Held(row, before.now if before else None)
        return found

    def revoked(self) -> list[str]:
        """Schools that had credentials, and have none that works."""
        query = "SELECT school FROM credential GROUP BY school HAVING COUNT(*) = COUNT(ended_ms)"
        return sorted(row[0] for row in self._db.execute(query))

    def ended_accounts(self) -> set[str]:
        """Accounts of the broker that must not exist any more."""
        query = "SELECT school, generation FROM credential WHERE ended_ms IS NOT NULL"
        return {username(*row) for row in self._db.execute(query)}

    def still_in_file(self) -> list[str]:
        """Schools with a credential that ended after HiveMQ's file was last brought up to date."""
        query = """
            SELECT DISTINCT school FROM journal WHERE act IN ('settle', 'revoke')
            AND id > (SELECT COALESCE(MAX(id), 0) FROM journal WHERE act = ?) ORDER BY school
        """
        return [row[0] for row in self._db.execute(query, (_IN_FILE,))]

    def file_is_up_to_date(self) -> None:
        """HiveMQ's file has no account that has ended; those who may not read it know by this."""
        if self.still_in_file():
            self.note(_IN_FILE, "")

    def rotations(self) -> dict[str, Rotation]:
        """By school, the rotations under way."""
        rows = self._db.execute("SELECT school, begun_ms, until FROM rotation ORDER BY school")
        return {row[0]: Rotation(*row) for row in rows}

    def add(self, schools: Iterable[str], line_keys: dict[str, str] | None = None) -> list[str]:
        """Draw credentials for those that have none; `line_keys` are taken over. Whose they are.

        A school whose credentials were all ended gets the next generation.
        """
        taken = line_keys or {}
        with sqlite.transaction(self._db):
            active = {row[0] for row in self._db.execute(_ACTIVE)}
            new = [school for school in dict.fromkeys(schools) if school not in active]
            for school in new:
                self._draw(school, taken.get(school, ""), "")
        return new

    def rotate(self, schools: Iterable[str], until: str) -> list[str]:
        """Draw the next generation beside the present one; schools that a rotation holds wait."""
        with sqlite.transaction(self._db):
            held, busy = self.held(), self.rotations()
            chosen = [code for code in dict.fromkeys(schools) if code in held and code not in busy]
            for school in chosen:
                self._draw(school, "", held[school].now.source_key, act="rotate", detail=until)
                row = school, _now_ms(), until
                self._db.execute("INSERT INTO rotation VALUES (?, ?, ?)", row)
        return chosen

    def limit(self, school: str, until: str) -> None:
        """Set or change the last day of a rotation's former credential."""
        with sqlite.transaction(self._db):
            self._db.execute("UPDATE rotation SET until = ? WHERE school = ?", (until, school))
            self._note("limit", school, until)

    def settle(self, school: str, why: str) -> list[str]:
        """End all but the newest generation, and the rotation; the accounts that ended."""
        with sqlite.transaction(self._db):
            held = self.held()[school]
            ended = [one for one in held.all if one is not held.now]
            self._end(ended, "settle", why)
            self._db.execute("DELETE FROM rotation WHERE school = ?", (school,))
        return [one.username for one in ended]

    def revoke(self, school: str, why: str) -> list[str]:
        """End every credential of a school; the accounts that ended."""
        with sqlite.transaction(self._db):
            held = self.held().get(school)
            ended = list(held.all) if held else []
            self._end(ended, "revoke", why)
            self._db.execute("DELETE FROM rotation WHERE school = ?", (school,))
        return [one.username for one in ended]

    def note(self, act: str, detail: str, school: str = "") -> None:
        """Write an act that changes no credential into the journal."""
        with sqlite.transaction(self._db):
            self._note(act, school, detail)

    def journal(self) -> list[Entry]:
        """Everything that was done, oldest first."""
        rows = self._db.execute("SELECT at_ms, who, act, school, detail FROM journal ORDER BY id")
        return [Entry(*row) for row in rows]

    def _draw(
        self, school: str, line_key: str, source_key: str, act: str = "enrol", detail: str = ""
    ) -> None:
        query = "SELECT COALESCE(MAX(generation), 0) + 1 FROM credential WHERE school = ?"
        (generation,) = self._db.execute(query, (school,)).fetchone()
        drawn = secrets.token_hex(32), line_key or secrets.token_hex(32)
        row = school, generation, *drawn, source_key or secrets.token_hex(32), _now_ms(), self._who
        self._db.execute(_DRAWN, row)
        self._note(act, school, f"{generation} {detail}".strip())

    def _end(self, ended: Sequence[Credential], act: str, why: str) -> None:
        """Their secrets go: what no longer works need not be kept."""
        for one in ended:
            self._db.execute(
                "UPDATE credential SET ended_ms = ?, ended_why = ?, password = '', line_key = '',"
                " source_key = '' WHERE school = ? AND generation = ?",
                (_now_ms(), why, one.school, one.generation),
            )
            self._note(act, one.school, f"{one.generation} {why}".strip())

    def _note(self, act: str, school: str, detail: str) -> None:
        row = _now_ms(), self._who, act, school, detail
        sql = "INSERT INTO journal (at_ms, who, act, school, detail) VALUES (?, ?, ?, ?, ?)"
        self._db.execute(sql, row)


def enrolled(path: Path) -> set[str]:
    """The schools that have credentials; none where there is no file yet.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    if not path.exists():
        return set()
    with closing(sqlite3.connect(path)) as db:
        return {
            row[0] for row in db.execute("SELECT school FROM credential WHERE ended_ms IS NULL")
        }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

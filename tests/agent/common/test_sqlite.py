"""Files of ours: opened by several at once, brought up to date whole, never set back."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from subprocess import PIPE

import pytest

from agent.common import language
from agent.common.sqlite import NewerFileError, layout, migrate, open_file

CODE = """
import sys
from pathlib import Path
from collector.service.pipeline.pending_days import PendingDays
from collector.service.pipeline.quarantine import Quarantine
from collector.store.sqlite import SqliteStore
print("ready", flush=True)
for line in sys.stdin:  # all get theirs together
    folder = Path(line.strip())
    SqliteStore(folder / "store.db", 90).close()
    PendingDays(folder / "days.db").close()
    Quarantine(folder / "quarantine.db", 10**6).close()
    print(folder, flush=True)
"""


def test_new_files_are_opened_by_three_at_once(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", CODE]
    with (tmp_path / "errors").open("wb") as errors, contextlib.ExitStack() as stack:
        three = [
            stack.enter_context(subprocess.Popen(argv, stdin=PIPE, stdout=PIPE, stderr=errors))
            for _ in range(3)
        ]
        assert [_line(process) for process in three] == ["ready"] * 3
        for each in range(8):
            folder = tmp_path / str(each)
            folder.mkdir()
            for process in three:
                assert process.stdin is not None
                process.stdin.write(f"{folder}\n".encode())
                process.stdin.flush()
            said = [_line(process) for process in three]
            assert said == [str(folder)] * 3, (tmp_path / "errors").read_text()
    assert [process.returncode for process in three] == [0, 0, 0]


def _line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


FIRST = """
CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT);  -- a comment; with one
CREATE TABLE IF NOT EXISTS count (notes INTEGER);
INSERT INTO count SELECT 0 WHERE NOT EXISTS (SELECT * FROM count);
CREATE TRIGGER IF NOT EXISTS came AFTER INSERT ON note
  BEGIN UPDATE count SET notes = notes + 1; SELECT 1; END;
"""
SECOND = """
ALTER TABLE note ADD COLUMN school TEXT NOT NULL DEFAULT '';
CREATE INDEX note_text ON note (text)
"""


def columns(db: sqlite3.Connection) -> list[str]:
    return [row[1] for row in db.execute("PRAGMA table_info(note)")]


def test_a_new_file_goes_through_every_step(tmp_path: Path) -> None:
    with closing(open_file(tmp_path / "new" / "notes.db", (FIRST, SECOND))) as db:
        assert columns(db) == ["id", "text", "school"]
        assert layout(db) == 2
        db.execute("INSERT INTO note (text) VALUES ('one')")
        assert db.execute("SELECT notes FROM count").fetchone() == (1,), "the trigger is whole"
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_file_of_before_there_were_numbers_keeps_its_rows(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "notes.db")) as old:
        old.executescript("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT);")
        old.execute("INSERT INTO note VALUES (7, 'kept')")
        old.commit()
    with closing(open_file(tmp_path / "notes.db", (FIRST, SECOND))) as db:
        assert db.execute("SELECT * FROM note").fetchall() == [(7, "kept", "")]


def test_only_the_steps_that_are_missing_are_gone_through(tmp_path: Path) -> None:
    open_file(tmp_path / "notes.db", (FIRST,)).close()
    with closing(open_file(tmp_path / "notes.db", ("no SQL at all;", SECOND))) as db:
        assert layout(db) == 2
        before = db.execute("PRAGMA data_version").fetchone(), db.total_changes
        migrate(db, ("no SQL;", "no SQL;"), tmp_path / "notes.db")
        assert (db.execute("PRAGMA data_version").fetchone(), db.total_changes) == before


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    open_file(tmp_path / "notes.db", (FIRST,)).close()
    broken = f"{SECOND}; SELECT no_such_function();"
    with pytest.raises(sqlite3.OperationalError, match="no_such_function"):
        open_file(tmp_path / "notes.db", (FIRST, broken))
    with closing(open_file(tmp_path / "notes.db", (FIRST,))) as db:
        assert (columns(db), layout(db)) == (["id", "text"], 1)


@pytest.mark.parametrize("number", [3, 2**31 - 1, -1])
def test_a_file_of_a_later_version_is_refused_by_name_and_left_alone(
    tmp_path: Path, number: int
) -> None:
    path = tmp_path / "notes.db"
    with closing(open_file(path, (FIRST, SECOND))) as db:
        db.execute(f"PRAGMA user_version = {number}")
    language.choose("en")
    with pytest.raises(NewerFileError, match=r"notes\.db: was written by a newer version; upgrade"):
        open_file(path, (FIRST, SECOND))
    with closing(sqlite3.connect(path)) as db:
        assert layout(db) == number

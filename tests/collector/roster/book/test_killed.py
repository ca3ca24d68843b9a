"""An import that is killed at any moment leaves the old register, whole; or has been made."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.common.command_line import main
from collector.cli import COMMANDS
from collector.roster.book import RegisterBook
from collector.roster.book import book as book_module
from collector.roster.register import School
from collector.roster.rows import Rows

OLD = Rows(
    schools=tuple(School(f"9963{n:06d}", "旧", "630102", "小学", "630102") for n in range(300))
)
NEW = dataclasses.replace(
    OLD, schools=tuple(dataclasses.replace(row, name="新") for row in OLD.schools[:200])
)


def killed(act: Callable[[], object], statement: int, step: int) -> bool:
    """Do it in a process that dies by SIGKILL in a statement to SQLite, after so many of its steps.

    Statement and step count from 1; step 0 is before the statement begins. Returns whether it died.
    """
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    try:
        seen = [0]

        def die() -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        class Watched(sqlite3.Connection):
            def execute(self, *args: Any) -> sqlite3.Cursor:
                seen[0] += 1
                if seen[0] == statement and step == 0:
                    die()
                if seen[0] == statement:
                    done = [0]

                    def count() -> None:
                        done[0] += 1
                        if done[0] == step:
                            die()

                    self.set_progress_handler(count, 1)
                found = super().execute(*args)
                self.set_progress_handler(None, 0)
                if seen[0] == statement and step < 0:
                    die()
                return found

        def connect(path: Path) -> sqlite3.Connection:
            base = sqlite3.connect(path, timeout=120, isolation_level=None, factory=Watched)
            sqlite3.Connection.execute(base, "PRAGMA synchronous = FULL")
            return base

        book_module.connect = connect  # type: ignore[attr-defined]
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        act()
    finally:
        os._exit(0)


@pytest.mark.parametrize("act", ["import", "restore"])
def test_at_every_statement_and_within_it(tmp_path: Path, act: str) -> None:
    """Before, after and within each statement, one after the other until it ends alive."""
    made = RegisterBook(tmp_path / "made" / "register.db")
    made.import_rows(NEW)
    made.import_rows(OLD)
    points, last = 0, 100
    for step in (0, -1, 1, 3, 8, 20):
        for statement in range(1, last + 1):
            book = RegisterBook(tmp_path / f"{step}-{statement}.db")
            shutil.copy(made.path, book.path)
            acts = {
                "import": lambda book=book: book.import_rows(NEW),
                "restore": lambda book=book: book.restore(1),
            }
            died = killed(acts[act], statement, step)
            points += died
            history, rows = book.history(), book.rows()
            assert rows == (OLD if len(history) == 2 else NEW), (statement, step)
            assert book.version() == len(history), "the version goes with the rows"
            assert book.import_rows(OLD).number == len(history) + 1, "it can be used at once"
            if not died and step <= 0:
                assert len(history) == 3
                last = statement - 1
                break
    assert last < 100
    assert points > 2 * last


def test_the_command_killed_at_every_statement(tmp_path: Path, folder: Path) -> None:
    """`roster import --remove` of a smaller city over a larger one; the register is one of both."""
    data = tmp_path / "data"
    config = tmp_path / "collector.toml"
    config.write_text(f'data = "{data}"\n', encoding="utf-8")
    book = RegisterBook(data / "register.db")
    book.import_rows(OLD)
    argv = ["roster", "import", str(folder), "--remove", "--config", str(config)]
    for statement in range(1, 200):
        before = len(book.history())
        died = killed(lambda: main("schoolpulse", COMMANDS, argv), statement, -1)
        after = len(book.history())
        assert after - before in ((0, 1) if died else (1,))
        assert len(book.rows().schools) == (3 if after > 1 else 300)
        if not died:
            break
    assert statement > 15
    assert not died

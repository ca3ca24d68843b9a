"""A city side on disk that freezes its years, and its command line."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from agent.common.command_line import DONE, main
from collector.archive.summary import FrozenYear, frozen
from collector.cli import COMMANDS
from collector.roster.book import RegisterBook
from collector.roster.rows import rows_of
from collector.store.sqlite import SqliteStore

IMPORTED = dt.datetime(2025, 9, 1, tzinfo=dt.UTC)
CODE = "9901020001"


class Side:
    """A city side's folder, and its command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "collector.toml"
        self.config.write_text(f'data = "{folder}"\n', encoding="utf-8")
        self.book = RegisterBook(folder / "register.db")

    def __call__(self, command: str, *words: str) -> int:
        given = [command, "--config", str(self.config), "--year", "2025", *words]
        return main("schoolpulse", COMMANDS, given)

    def register(self, town: Any, at: dt.datetime = IMPORTED) -> None:
        self.book.import_rows(rows_of(town.register()), now=at)
        self.book.add_inspections(town.inspections, now=at)

    def store(self) -> SqliteStore:
        return SqliteStore(self.folder / "schoolpulse.db")

    def frozen(self) -> list[FrozenYear]:
        return frozen(self.folder / "archives")

    def archive(self, nth: int = -1) -> Path:
        return self.folder / "archives" / self.frozen()[nth].file


@pytest.fixture
def side(tmp_path: Path, past_town: Any, fill: Any) -> Side:
    made = Side(tmp_path)
    made.register(past_town)
    with made.store() as store:
        fill(past_town, store)
    return made


def tree(side: Side, capsys: Any, *words: str) -> Any:
    capsys.readouterr()
    assert side("figure", "--json", *words) == DONE
    return json.loads(capsys.readouterr().out)

"""The good register read, and one workbook with a change in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collector.roster.problems import Problem
from collector.roster.rows import Rows
from collector.roster.sheets import errors, read_folder
from register_books import TITLES, write_book

Sheets = dict[str, str]


@pytest.fixture
def good(folder: Path) -> Rows:
    rows, problems = read_folder(folder)
    assert not errors(problems)
    return rows


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


def place(book: Any, sheet: str, row: int, heading: str) -> Any:
    """The cell of (sheet, spreadsheet row, heading)."""
    found = book[TITLES[sheet]]
    headings = [cell.value for cell in found[1]]
    return found.cell(row, headings.index(heading) + 1)


def read(tmp_path: Path, sheets: Sheets, change: Callable[[Any], None]) -> Any:
    return read_folder(write_book(tmp_path / "book", sheets, change))

"""The form of a school, a desk where it is filled in, and ways to change it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openpyxl import load_workbook

from collector.roster.book import RegisterBook
from typed import Typed

CODE = "9963030001"  # two classes: 七（1）班 in row 9, 七（2）班 in row 10
ROOM, LINE, FIRST, SECOND = 7, 8, 9, 10
INDICATOR, CLASS, FOUND, NOTE = "A", "B", "E", "F"
DAY = dt.date(2026, 10, 12)


class Desk(NamedTuple):
    """Where forms are filled in."""

    typed: Typed
    book: RegisterBook
    path: Path  # an empty form

    def filled(self, change: Callable[[Any], None] | None = None) -> Path:
        """The form as it should be filled in, then changed."""
        book = load_workbook(self.path)
        sheet = book.active
        sheet["B3"], sheet["F3"] = dt.datetime(DAY.year, DAY.month, DAY.day), "核查组"
        for row, answer in ((ROOM, "是"), (LINE, "否"), (FIRST, "是"), (SECOND, "否")):
            sheet[f"{FOUND}{row}"] = answer
        if change:
            change(book)
        path = self.path.with_name("填好.xlsx")
        book.save(path)
        return path

    def read(self, path: Path, *words: str) -> tuple[int, str]:
        return self.typed("inspect", "import", path, *words)

    def answers(self) -> list[tuple[str, str, bool]]:
        return [(row.indicator, row.unit, row.found) for row in self.book.inspections()]


@pytest.fixture
def desk(typed: Typed, folder: Path, tmp_path: Path) -> Desk:
    assert typed("roster", "import", folder)[0] == 0
    code, text = typed("inspect", "sheet", "--school", CODE, "--out", tmp_path / "forms")
    assert code == 0, text
    (path,) = (tmp_path / "forms").iterdir()
    return Desk(typed, RegisterBook(typed.data / "register.db"), path)


WHOLE = [
    ("computer_room", "", True),
    ("line", "", False),
    ("multimedia", "七（1）班", True),
    ("multimedia", "七（2）班", False),
]


def cells(**values: object) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        for cell, value in values.items():
            book.active[cell] = value

    return change


def copied(**values: object) -> Callable[[Any], None]:
    """The sheet copied within the workbook, and cells of the copy changed."""

    def change(book: Any) -> None:
        sheet = book.copy_worksheet(book.active)
        for cell, value in values.items():
            sheet[cell] = value

    return change


def swapped(first: int) -> Callable[[Any], None]:
    """Answers and indicators in each other's columns, from a row on."""

    def change(book: Any) -> None:
        sheet = book.active
        for row in range(first, SECOND + 1):
            one, other = sheet[f"{FOUND}{row}"], sheet[f"{INDICATOR}{row}"]
            one.value, other.value = other.value, one.value

    return change

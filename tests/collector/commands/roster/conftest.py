"""A register of three schools, imported, and sheets of a fourth."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.roster.book import RegisterBook
from register_sheets import SHEETS
from typed import Typed

NEW = {
    "schools": "9963020005,城东区新校,城东区,小学,,,,",
    "campuses": "9963020005,本部,,,",
    "lines": "9963020005,a,本部,1000,",
    "rooms": "9963020005,本部,11,,普通教室,,",
    "classes": "9963020005,一（1）班,11,,",
}


def new_school(folder: Path) -> Path:
    """Sheets with one school that the good register does not have."""
    folder.mkdir(exist_ok=True)
    for name, text in SHEETS.items():
        head = text.splitlines()[0]
        row = NEW.get(name, "")
        (folder / f"{name}.csv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    return folder


@pytest.fixture
def book(typed: Typed) -> RegisterBook:
    return RegisterBook(typed.data / "register.db")


@pytest.fixture
def city(typed: Typed, folder: Path) -> Path:
    """The good register of three schools, imported."""
    assert typed("roster", "import", folder)[0] == 0
    return folder

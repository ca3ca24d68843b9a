"""The register's sheets as a workbook, made by openpyxl, and ways to spoil it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import openpyxl

TITLES = {
    "schools": "学校", "campuses": "校区", "lines": "线路", "rooms": "教室", "classes": "班级",
    "equipment": "设备", "machines": "计算机绑定", "calendar": "校历",
}  # fmt: skip

Change = Callable[[Any], None]


def book_of(sheets: Mapping[str, str]) -> Any:
    """A workbook with every sheet's cells as text, under their Chinese names."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, text in sheets.items():
        sheet = book.create_sheet(TITLES[name])
        for row in csv.reader(io.StringIO(text)):
            sheet.append(row)
    return book


def write_book(
    folder: Path, sheets: Mapping[str, str], change: Change | None = None, name: str = "台账.xlsx"
) -> Path:
    """The workbook in a folder, after a change."""
    book = book_of(sheets)
    if change:
        change(book)
    folder.mkdir(parents=True, exist_ok=True)
    book.save(folder / name)
    return folder / name

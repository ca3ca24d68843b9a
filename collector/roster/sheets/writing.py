"""Writes rows as sheets, and empty sheets as templates: CSV that Excel opens as UTF-8."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.common.command_line import RefusedError
from agent.common.language import for_documents, say
from collector.roster.areas import XINING
from collector.roster.rows import Rows
from collector.roster.sheets.layout import NOTES, SHEETS, Column, Sheet
from collector.roster.sheets.words import DAY_KINDS_ZH, FOUND_ZH, KINDS_ZH
from collector.sheet_cells import guarded

_AREAS = {"district", "responsible"}


def write_folder(rows: Rows, folder: Path) -> list[Path]:
    """Write every sheet; reading them back gives the same rows.

    Raises:
        RefusedError: a file of that name is there already, or cannot be written.
    """
    with for_documents():
        content = {
            sheet.file: [list(map(guarded, row)) for row in sheet_text(sheet, rows)]
            for sheet in SHEETS.values()
        }
    return _write(content, folder)


def write_template(folder: Path) -> list[Path]:
    """Write every sheet with its headings only, and notes on how to fill them.

    Raises:
        RefusedError: a file of that name is there already, or cannot be written.
    """
    with for_documents():
        files = {sheet.file: sheet_text(sheet, Rows()) for sheet in SHEETS.values()}
        files[f"{say(*NOTES)}.csv"] = notes_text()
    return _write(files, folder)


def sheet_text(sheet: Sheet, rows: Rows) -> Sequence[Sequence[str]]:
    """A sheet's headings and cells as text."""
    found = getattr(rows, sheet.name)
    return [
        [column.heading for column in sheet.columns],
        *(
            [_cell(column, getattr(row, column.attribute), rows.areas) for column in sheet.columns]
            for row in found
        ),
    ]


def cell_text(column: Column, value: Any, areas: Mapping[str, str]) -> str:
    """A value as its cell shows it; empty for None."""
    return _cell(column, value, areas)


def notes_text(*, files: bool = True) -> list[list[str]]:
    """What every column means, as a table with headings; `files`: the sheets are CSV files."""
    head = say("表 列 必填 含义 示例", "sheet column required meaning example").split()
    names = {
        sheet.name: say(f"{sheet.file}（{sheet.zh[0]}）", sheet.file) if files else sheet.title
        for sheet in SHEETS.values()
    }
    return [
        head,
        *(
            [names[sheet.name], *_note(column)]
            for sheet in SHEETS.values()
            for column in sheet.columns
        ),
    ]


def _write(files: Mapping[str, Iterable[Sequence[str]]], folder: Path) -> list[Path]:
    present = [name for name in files if (folder / name).exists()]
    if present:
        names = "、".join(present)
        raise RefusedError(
            say(
                f"{folder}: 已有 {names}，不覆盖。换一个文件夹",
                f"{folder}: {names} exist already; name another folder",
            )
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_file(folder / name, rows) for name, rows in files.items()]
    except OSError as error:
        wrong = say("写不了", "cannot be written")
        raise RefusedError(f"{folder}: {wrong}: {error.strerror}") from error


def _file(path: Path, rows: Iterable[Sequence[str]]) -> Path:
    # Without a BOM, Excel in China reads a file as GBK.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def _cell(column: Column, value: Any, areas: Mapping[str, str]) -> str:
    if value is None:
        return ""
    if column.name in _AREAS:
        return _area(value, areas)
    if column.type == "kind":
        return say(KINDS_ZH.get(value, value), value)
    if column.type == "yes_no":
        word = "yes" if value else "no"
        return say(FOUND_ZH[word], word)
    if column.type == "day_kind":
        return say(DAY_KINDS_ZH.get(value, value), value)
    if isinstance(value, tuple):
        return say("、", ";").join(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _area(code: str, areas: Mapping[str, str]) -> str:
    if code in XINING:
        return say(XINING[code], code)
    return f"{code} {areas[code]}" if code in areas else code


def _note(column: Column) -> list[str]:
    required = say("是", "yes") if column.required else ""
    return [column.heading, required, column.meaning, column.example]

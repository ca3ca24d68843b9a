"""Writes the register, or an empty one, as a workbook that helps to fill it in.

Every cell is text, so codes keep their zeros; headings carry notes, and columns with a known
vocabulary a drop-down list that allows other words.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent.common.command_line import RefusedError
from agent.common.language import for_documents, say
from agent.common.tables import width
from collector.roster.areas import DIRECT, XINING
from collector.roster.rows import Rows
from collector.roster.sheets import words
from collector.roster.sheets.layout import NOTES, SHEETS, Column, Sheet
from collector.roster.sheets.writing import notes_text, sheet_text

_LAST_ROW: Final = 20_000  # of drop-down lists
_MAX_LIST: Final = 255  # characters that a list may have in a workbook
_TEXT: Final = "@"
_NOTE_COLUMNS: Final = (12, 20, 8, 72, 28)  # widths on the sheet of notes
_LINE: Final = 15  # points
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def book_name() -> str:
    """What a workbook is named where only a folder is given."""
    return say("台账.xlsx", "register.xlsx")


def write_book(path: Path, rows: Rows | None = None) -> list[Path]:
    """Write the register's rows; without rows the empty sheets and notes on filling them.

    Raises:
        RefusedError: the file is there already, or cannot be written.
    """
    with for_documents():
        data = _bytes(rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise RefusedError(
            say(
                f"{path}: 已经有了，不覆盖。换一个名字",
                f"{path}: exists already; name another file",
            )
        ) from error
    except OSError as error:
        wrong = say("写不了", "cannot be written")
        raise RefusedError(f"{path}: {wrong}: {error.strerror}") from error
    return [path]


def _bytes(rows: Rows | None) -> bytes:
    from openpyxl import Workbook  # here, as only this needs its 20 MB

    book = Workbook()
    book.remove(book.active)
    for sheet in SHEETS.values():
        _fill(book.create_sheet(sheet.title), sheet, sheet_text(sheet, rows or Rows()))
    notes = book.create_sheet(say(*NOTES))
    for row in notes_text(files=False):
        notes.append(row)
    _legible(notes)
    _printed(notes)
    for letter, columns in zip("ABCDE", _NOTE_COLUMNS, strict=True):
        notes.column_dimensions[letter].width = columns
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _fill(target: Any, sheet: Sheet, cells: Sequence[Sequence[str]]) -> None:
    for number, row in enumerate(cells, start=1):
        for at, text in enumerate(row, start=1):
            if text:
                _write(target.cell(number, at), text)
    target.freeze_panes = "A2"
    for at, column in enumerate(sheet.columns, start=1):
        _prepare(target, at, column)
    _printed(target)


def _legible(notes: Any) -> None:
    """Bold headings that stay, and long texts in lines of their own."""
    from openpyxl.styles import Alignment, Font

    notes.freeze_panes = "A2"
    for number, row in enumerate(notes.iter_rows(), start=1):
        pairs = zip(row, _NOTE_COLUMNS, strict=True)
        most = max(-(-width(str(cell.value or "")) // (columns - 2)) for cell, columns in pairs)
        notes.row_dimensions[number].height = _LINE * most
        for cell in row:
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            if number == 1:
                cell.font = Font(bold=True)


def _printed(target: Any) -> None:
    """Every column on one page's width, the headings on each page."""
    target.page_setup.orientation = "landscape"
    target.page_setup.paperSize = target.PAPERSIZE_A4
    target.sheet_properties.pageSetUpPr.fitToPage = True
    target.page_setup.fitToHeight = 0
    target.print_title_rows = "1:1"


def _write(cell: Any, text: str) -> None:
    cell.value = _ESCAPE.sub("_x005F_", text)
    cell.data_type = "s"  # also what begins with an equals sign: no cell is a formula
    cell.number_format = _TEXT


def _prepare(target: Any, at: int, column: Column) -> None:
    """The heading's note, and the format, width and list of its column."""
    from openpyxl.comments import Comment
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    heading, letter = target.cell(1, at), get_column_letter(at)
    heading.font = Font(bold=True)
    needed = say("必填。", "Required. ") if column.required else ""
    example = say(f"\n例：{column.example}", f"\nExample: {column.example}")
    text = f"{needed}{column.meaning}{example if column.example else ''}"
    heading.comment = Comment(text, "SchoolPulse", height=120, width=280)
    target.column_dimensions[letter].number_format = _TEXT
    target.column_dimensions[letter].width = max(14, 2 * len(column.heading) + 4)
    listed = ",".join(_choices(column))
    if listed and len(listed) <= _MAX_LIST:
        target.add_data_validation(_list(listed, f"{letter}2:{letter}{_LAST_ROW}"))


def _list(listed: str, cells: str) -> Any:
    from openpyxl.worksheet.datavalidation import DataValidation

    rule = DataValidation("list", formula1=f'"{listed}"', allow_blank=True, sqref=cells)
    rule.errorStyle = "warning"
    rule.showErrorMessage = True
    rule.errorTitle = say("不在列表里", "not in the list")
    rule.error = say(
        "别的写法多半也读得懂；roster check 会说。", "roster check tells if it is read."
    )
    return rule


def _choices(column: Column) -> Sequence[str]:
    """The words to choose from; none for a column of free text."""
    if column.name in ("district", "responsible"):
        return [
            say(name, code)
            for code, name in XINING.items()
            if column.name == "responsible" or code != DIRECT
        ]
    return _WORDS[column.type]() if column.type in _WORDS else ()


def _said(words_zh: Mapping[str, str]) -> list[str]:
    return [say(zh, code) for code, zh in words_zh.items()]


_WORDS = {
    "school_type": lambda: list(dict.fromkeys(words.SCHOOL_TYPES.values())),
    "room_type": lambda: list(dict.fromkeys(words.ROOM_TYPES.values())),
    "yes_no": lambda: _said(words.FOUND_ZH),
    "kind": lambda: _said(words.KINDS_ZH),
    "day_kind": lambda: _said(words.DAY_KINDS_ZH),
}

"""The cells of a form's file: a workbook, or the CSV that somebody made of it."""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.common.language import say
from collector.roster.problems import Problem, UnfitError
from collector.roster.sheets import csvfile, package, workbook

_MAX_XML = 16 * 1024 * 1024
_MAX_ROWS, _MAX_COLUMNS = 5000, 50
_WORKBOOKS = {".xlsx", ".xlsm"}


@dataclass(slots=True)
class Sheet:
    """A sheet as text: rows by spreadsheet number, and where cells are merged or computed."""

    name: str  # as messages say it: the file, and in a workbook the sheet
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    merged: list[tuple[int, int, int, int, str]] = field(
        default_factory=list
    )  # rows, columns, text
    formulas: dict[tuple[int, int], str] = field(default_factory=dict)  # (row, column from 0)


def read(path: Path) -> tuple[list[Sheet], list[Problem]]:
    """Every sheet of a file, and what is wrong with the file. Never raises for its content."""
    if path.suffix.lower() not in _WORKBOOKS:
        rows, problems = csvfile.read(path)
        return ([] if problems else [Sheet(path.name, rows)]), problems
    try:
        _refuse_others(path)
        return list(_sheets(path)), []
    except UnfitError as error:
        return [], [Problem(path.name, error.wrong, error.fix)]
    except OSError as error:
        return [], [workbook.unreadable(path, error)]
    except Exception as error:  # openpyxl raises what it meets: KeyError, ParseError, ValueError
        broken = package.damaged()
        return [], [Problem(path.name, f"{broken.wrong} ({error})", broken.fix)]


def _refuse_others(path: Path) -> None:
    """As `package.refuse_others`; and a form is small, so it is held in memory whole."""
    package.refuse_others(path)
    with zipfile.ZipFile(path) as packed:
        entries = [one for one in packed.infolist() if one.filename.endswith(".xml")]
    if sum(one.file_size for one in entries) > _MAX_XML:
        raise UnfitError(
            say("太大，不像一张核查表", "is too large for a form"),
            say("看是不是拿错了文件", "check that it is the right file"),
        )


def _sheets(path: Path) -> Iterator[Sheet]:
    from openpyxl import load_workbook

    with warnings.catch_warnings():  # what it does not keep, such as pictures, is not read here
        warnings.simplefilter("ignore")
        shown = load_workbook(path, data_only=True)
        written = load_workbook(path)
    for page in shown.worksheets:
        name = say(f"{path.name} 「{page.title}」表", f"{path.name} sheet {page.title!r}")
        yield _sheet(name, page, written[page.title])


def _sheet(name: str, page: Any, written: Any) -> Sheet:
    sheet = Sheet(name)
    size = {
        "max_row": min(page.max_row, _MAX_ROWS), "max_col": min(page.max_column, _MAX_COLUMNS)
    }  # fmt: skip
    pairs = zip(page.iter_rows(**size), written.iter_rows(**size), strict=True)
    for number, (shown, typed) in enumerate(pairs, start=1):
        texts = [text(cell.value) for cell in shown]
        if any(texts) or any(cell.value is not None for cell in typed):
            sheet.rows.append((number, texts))
        for at, cell in enumerate(typed):
            if cell.data_type == "f":
                sheet.formulas[number, at] = texts[at]
    for span in page.merged_cells.ranges:
        rows = (span.min_row, span.max_row, span.min_col - 1, span.max_col - 1)
        sheet.merged.append((*rows, span.coord))
    return sheet


def text(value: object) -> str:
    """A cell as somebody would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).casefold()
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)

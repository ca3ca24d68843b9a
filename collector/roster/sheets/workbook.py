"""The sheets of a workbook: their names and rows, and what is merged, hidden or computed."""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.common.language import say
from collector.roster.problems import Problem, UnfitError
from collector.roster.sheets import package, sheetxml
from collector.roster.sheets.sheetxml import Marks, Row, Styles

SUFFIXES = {".xlsx", ".xlsm"}
#: What is recognized only to name the fix.
OTHERS = {".xls", ".et", ".ods", ".xlsb", ".numbers", ".xlt", ".xltx", ".ett"}
_TEXTS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
_FIRST_OWN_FORMAT = 164  # lower numbers are built in


@dataclass(slots=True)
class BookSheet:
    """One sheet of a workbook."""

    path: Path
    part: str  # its file in the zip
    name: str  # as the keeper named it
    styles: Styles
    hidden: bool = False
    marks: Marks = field(default_factory=Marks)  # complete once `rows` was read to its end

    @property
    def label(self) -> str:
        """How messages name it."""
        return say(f"{self.path.name}「{self.name}」表", f"{self.path.name}, sheet {self.name!r},")

    def rows(self) -> Iterator[Row]:
        """The rows that hold anything, as (row number from 1, texts).

        Raises:
            UnfitError: the sheet is damaged or too wide.
        """
        self.marks = Marks()
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.part) as stream:
                yield from sheetxml.rows(stream, self.styles, self.marks)
        except UnfitError:
            raise
        except package.DAMAGED as error:
            raise package.damaged() from error


def sheets(path: Path) -> tuple[list[BookSheet], list[Problem]]:
    """The sheets of a workbook, visible ones first; never raises for its content."""
    try:
        package.refuse_others(path)
        return _sheets(path), []
    except UnfitError as error:
        return [], [Problem(path.name, error.wrong, error.fix)]
    except OSError as error:
        return [], [unreadable(path, error)]


def unreadable(path: Path, error: OSError) -> Problem:
    """A file that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        fix = say("核对路径和文件名", "check the path and the name")
        return Problem(path.name, say("没有这个文件", "does not exist"), fix)
    wrong = say(f"读不到：{error.strerror}", f"cannot be read: {error.strerror}")
    fix = say("先在 Excel 或 WPS 里关闭它；看文件权限", "close it in Excel; check its permissions")
    return Problem(path.name, wrong, fix)


def _sheets(path: Path) -> list[BookSheet]:
    from openpyxl.reader.excel import ExcelReader  # here, as only this needs its 20 MB

    class Reader(ExcelReader):  # type: ignore[misc]
        """Takes the texts with our parser: a tenth of the time, and it knows escapes."""

        def read_strings(self) -> None:
            part = self.package.find(_TEXTS)
            self.shared_strings = []
            if part is not None:
                with self.archive.open(part.PartName[1:]) as stream:
                    self.shared_strings = sheetxml.texts(stream)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of validations and formats that reading drops
            reader = Reader(path, read_only=True, keep_vba=False, data_only=True, keep_links=False)
            reader.read()
        book = reader.wb
        found = [
            BookSheet(path, one._worksheet_path, one.title, _styles(book, one), _hidden(one))
            for one in book.worksheets
            if one.sheet_state != "veryHidden"  # lists for drop-downs, out of the keeper's sight
        ]
        reader.archive.close()
    except Exception as error:  # openpyxl raises what a strange file makes it stumble over
        raise package.damaged() from error
    return sorted(found, key=lambda one: one.hidden)


def _hidden(sheet: Any) -> bool:
    return bool(sheet.sheet_state == "hidden")


def _styles(book: Any, sheet: Any) -> Styles:
    zeros = {}
    for number, style in enumerate(book._cell_styles):
        own = style.numFmtId - _FIRST_OWN_FORMAT
        form = book._number_formats[own] if 0 <= own < len(book._number_formats) else ""
        if re.fullmatch("0{2,20}", form):
            zeros[number] = len(form)
    return Styles(sheet._shared_strings, frozenset(book._date_formats), zeros, book.epoch)

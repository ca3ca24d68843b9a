"""One table as a sheet: frozen head, filter, repeated when printed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from agent.common.language import say
from agent.common.printable import block
from collector.report import text
from collector.report.tables import Cell, Column, Table
from collector.report.xlsx_style import Styles

#: What a sheet can hold, and a cell; XlsxWriter leaves out what is beyond without a word.
_ROWS, _CHARACTERS = 1_048_576 - 2, 32_767
_A4 = 9
#: Points of a line of text.
LINE = 15


class Page:
    """What all sheets of a workbook share."""

    def __init__(self, book: xlsxwriter.Workbook, name: str, mark: str, root: str) -> None:
        self.book = book
        self.styles = Styles(book)
        self.mark = mark
        self._name = name
        self._root = root[: text.SHORT_ROOT]

    def new_sheet(self, title: str) -> Worksheet:
        """An empty sheet: A4 across, page numbers, the watermark on top of every page."""
        sheet = self.book.add_worksheet(title)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.center_horizontally()
        sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.7)
        sheet.set_header(f"&L{_plain(self._name)}&C{_plain(self.mark)}&R{_plain(title)}")
        pages = say("第 &P 页，共 &N 页", "page &P of &N")
        sheet.set_footer(f"&C{pages}&R{_plain(self._root)}")
        if self.mark:
            sheet.set_tab_color("#C00000")
        return sheet

    def add(self, table: Table, frozen: int) -> None:
        """A table as one sheet, or more where it is longer than a sheet; `frozen`: its columns."""
        rows = table.rows()
        number = 0
        while (part := list(islice(rows, 1))) or not number:
            number += 1
            title = str(table.title) + (f" {number}" if number > 1 else "")
            self._fill(self.new_sheet(title), table, chain(part, islice(rows, _ROWS - 1)), frozen)

    def _fill(
        self, sheet: Worksheet, table: Table, rows: Iterator[Sequence[Cell]], frozen: int
    ) -> None:
        top = self._banner(sheet)
        for place, column in enumerate(table.columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(top, place, str(column.heading), self.styles.heading)
        last = top
        for last, row in enumerate(rows, top + 1):
            self.write_row(sheet, last, 0, table.columns, row)
            lines = _lines(table.columns, row)
            if lines > 1:  # Excel finds the height by itself, LibreOffice and WPS may not
                sheet.set_row(last, LINE * lines)
        sheet.set_row(top, 2 * LINE)
        sheet.freeze_panes(top + 1, frozen)
        sheet.autofilter(top, 0, max(last, top + 1), len(table.columns) - 1)
        sheet.repeat_rows(top)

    def _banner(self, sheet: Worksheet) -> int:
        """The watermark above the table; returns the row of the head."""
        if not self.mark:
            return 0
        sheet.write_string(0, 0, text.warning(self.mark), self.styles.mark)
        return 1

    def write_row(
        self,
        sheet: Worksheet,
        at: int,
        left: int,
        columns: Sequence[Column],
        cells: Sequence[Cell],
    ) -> None:
        """A row of cells: texts as texts, whatever they look like, numbers as shown."""
        for place, (column, cell) in enumerate(zip(columns, cells, strict=True), left):
            if cell is None:
                sheet.write_blank(at, place, None, self.styles.cells[column.kind])
            elif isinstance(cell, str):
                style = self.styles.text(column.kind, cell)
                sheet.write_string(at, place, block(cell)[:_CHARACTERS], style)
            else:
                sheet.write_number(at, place, cell, self.styles.cells[column.kind])


def _lines(columns: Sequence[Column], cells: Sequence[Cell]) -> int:
    """How many lines the longest text of a row takes."""
    pairs = zip(columns, cells, strict=True)
    return max(
        (lines(cell, column.width) for column, cell in pairs if isinstance(cell, str)), default=1
    )


def lines(words: str, room: int) -> int:
    """How many lines a text takes in so many columns, at least one.

    GBK has a byte for each half of a character; columns are those of 11 points, texts have 10.
    """
    return max(1, -(-10 * len(words.encode("gbk", "replace")) // (11 * room)))


def _plain(words: str) -> str:
    """In headers and footers an ampersand begins a code."""
    return block(words).replace("&", "&&")

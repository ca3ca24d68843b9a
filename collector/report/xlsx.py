"""report.xlsx: the figure as a workbook, for reading, filtering and printing. Pure but for memory.

XlsxWriter and not openpyxl: a city of 12,000 classes takes it a quarter of the time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from io import BytesIO

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from agent.common.language import say
from agent.common.printable import block
from collector.compliance.model import Figure
from collector.report import area_tables, caveats, deed_tables, doubts, text, unit_tables, view
from collector.report.actions import Plan, plan
from collector.report.context import Context
from collector.report.tables import Cell, Column, Table
from collector.report.xlsx_sheet import LINE, Page
from collector.report.xlsx_sheet import lines as lines_of

_LAST = 15  # the last column of the first sheet
_WIDTHS = (28, *(9,) * 5, 16, *(8,) * 8, 12)


def render(figure: Figure, context: Context) -> bytes:
    """The whole workbook; the same bytes for the same figure, context and language."""
    out = BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({
            "title": text.title(figure),
            "created": dt.datetime.combine(figure.cutoff, dt.time()),
        })  # fmt: skip
        page = Page(book, text.title(figure), view.watermark(figure), context.root)
        todo = plan(figure)
        _front(page, figure, context, todo)
        for table, frozen in _sheets(figure, context, todo):
            page.add(table, frozen)
    return out.getvalue()


def _sheets(figure: Figure, context: Context, todo: Plan) -> Iterator[tuple[Table, int]]:
    """The tables, each with how many of its columns stay in sight."""
    yield deed_tables.deeds(todo), 3
    yield deed_tables.disputes(todo), 3
    if any(area.level == "district" for area in figure.areas):
        yield area_tables.districts(figure, todo), 3
    yield unit_tables.schools(figure, todo), 3
    yield unit_tables.classes(figure), 4
    yield unit_tables.lines(figure), 5
    yield unit_tables.evidence(figure), 4
    if figure.doubts:
        yield doubts.table(figure), 3
    if context.frozen or context.months:
        yield area_tables.trend(figure, context), 3


class _Front:
    """The first sheet, filled from top to bottom."""

    def __init__(self, page: Page, sheet: Worksheet) -> None:
        self.page, self.sheet, self.row = page, sheet, 0
        sheet.fit_to_pages(1, 1)
        for place, wide in enumerate(_WIDTHS):
            sheet.set_column(place, place, wide)

    def across(self, words: str, style: str, height: float) -> None:
        """A text over the whole width."""
        self.sheet.set_row(self.row, height)
        self.sheet.merge_range(self.row, 0, self.row, _LAST, "", getattr(self.page.styles, style))
        self.sheet.write_string(self.row, 0, block(words), getattr(self.page.styles, style))
        self.row += 1

    def sentence(self, words: str) -> None:
        """A sentence, as high as it needs: merged cells do not grow by themselves."""
        self.across(words, "note", LINE * lines_of(words, sum(_WIDTHS)))

    def heads(self, spans: Sequence[tuple[Column, int, int]]) -> None:
        """Heads of columns, each from one place to another."""
        for column, first, last in spans:
            self._span(first, last, str(column.heading), "heading")
        self.sheet.set_row(self.row, 2 * LINE)
        self.row += 1

    def cells(self, spans: Sequence[tuple[Column, int, int]], cells: Sequence[Cell]) -> None:
        """One row below such heads."""
        lines = 1
        for (column, first, last), cell in zip(spans, cells, strict=True):
            if last > first:
                style = self.page.styles.cells[column.kind]
                self.sheet.merge_range(self.row, first, self.row, last, "", style)
            self.page.write_row(self.sheet, self.row, first, [column], [cell])
            if isinstance(cell, str):
                lines = max(lines, lines_of(cell, sum(_WIDTHS[first : last + 1])))
        self.sheet.set_row(self.row, LINE * lines)
        self.row += 1

    def signature(self, context: Context) -> None:
        """Two fields a row, with room to write."""
        fields = list(text.signature(context))
        for left, right in zip(fields[::2], [*fields[1::2], ("", "")], strict=False):
            for (asked, known), first, middle, last in ((left, 0, 1, 6), (right, 7, 9, _LAST)):
                if asked:
                    self._span(first, middle - 1, asked, "note")
                    self._span(middle, last, known, "note")
            self.sheet.set_row(self.row, 2 * LINE)
            self.row += 1

    def _span(self, first: int, last: int, words: str, style: str) -> None:
        if last > first:
            self.sheet.merge_range(
                self.row, first, self.row, last, "", getattr(self.page.styles, style)
            )
        self.sheet.write_string(self.row, first, block(words), getattr(self.page.styles, style))


def _front(page: Page, figure: Figure, context: Context, todo: Plan) -> None:
    front = _Front(page, page.new_sheet(say("汇总", "Summary")))
    front.across(text.title(figure), "title", 30)
    front.across(text.dated(figure), "note", LINE)
    if page.mark:
        front.across(text.warning(page.mark), "mark", 20)
    front.across(say("一、要做什么", "1. What to do"), "section", 24)
    _gaps(front, todo)
    front.across(say("二、指标", "2. The figure"), "section", 24)
    _figure(front, area_tables.summary(figure, todo))
    front.across(say("三、必须同时阅读", "3. To be read with it"), "section", 24)
    for sentence in caveats.sentences(figure):
        front.sentence(sentence)
    front.across(say("四、填报", "4. Signature"), "section", 24)
    front.signature(context)


def _gaps(front: _Front, todo: Plan) -> None:
    """Area, indicator, missing, open, and the cheapest way; an area that lacks nothing is none."""
    _, area, *rest = area_tables.gaps(todo).columns
    spans = list(
        zip((area, *rest), (0, 1, 4, 5, 6), (0, 3, 4, 5, _LAST), strict=True),
    )
    front.heads(spans)
    count = 0
    for _, *cells in area_tables.gaps(todo).rows():
        if cells[2] != 0 and cells[3]:
            front.cells(spans, cells)
            count += 1
    if not count:
        front.sentence(say("没有：目标都已达到。", "Nothing: every target is reached."))


def _figure(front: _Front, table: Table) -> None:
    """The shares in a row each; the documents, too long for a cell of it, below."""
    spans = [(column, place, place) for place, column in enumerate(table.columns[2:-1])]
    front.heads(spans)
    rows = [row[2:] for row in table.rows()]
    for row in rows:
        front.cells(spans, row[:-1])
    documents = dict.fromkeys(str(row[-1]) for row in rows if row[-1])
    if documents:
        listed = say("、", ", ").join(documents)
        front.sentence(say(f"目标依据：{listed}", f"Targets: {listed}"))

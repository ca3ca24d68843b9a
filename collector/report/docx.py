"""report.docx: the report as offices circulate it, editable in Word and WPS.

The city's report lists tasks by responsible unit; each school's own deeds stand in the report of
its district (`--area`), in its own (`--school`), and in the workbook.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

import docx
from docx.document import Document

from agent.common.language import say
from collector.compliance.model import Figure
from collector.report import (
    area_tables,
    caveats,
    deed_tables,
    docx_parts,
    docx_style,
    doubts,
    sentences,
    tables,
    text,
    view,
)
from collector.report.actions import Plan, plan
from collector.report.context import Context
from collector.report.docx_style import BODY_TEXT, MARK, TABLE_TEXT
from collector.report.tables import Table

#: To be filled in by hand.
_BLANK = "＿" * 10
#: Rows of a table that a reader still reads; the workbook has all.
_MOST = 40
_NUMBERS = "一二三四五六七八九十"


def render(figure: Figure, context: Context) -> bytes:
    """The whole document; the same bytes for the same figure, context and language."""
    document = docx.Document()
    docx_style.prepare(document)
    _properties(document, figure, context)
    docx_parts.page_numbers(document)
    writer = _Writer(document, figure)
    mark = view.watermark(figure)
    if mark:
        docx_parts.watermark(document, mark)
    docx_parts.add_paragraph(document, text.title(figure), "Title")
    if mark:
        docx_parts.add_paragraph(document, text.warning(mark), MARK)
    _body(writer, figure, context, plan(figure))
    return docx_parts.saved(document)


def _properties(document: Document, figure: Figure, context: Context) -> None:
    made = dt.datetime.combine(figure.cutoff, dt.time())
    about = document.core_properties
    about.title, about.author = (
        docx_parts.clean(text.title(figure)),
        docx_parts.clean(context.signature.unit),
    )
    about.created = about.modified = made
    about.comments = about.last_modified_by = ""


class _Writer:
    """Numbered sections, paragraphs and tables, from top to bottom."""

    def __init__(self, document: Document, figure: Figure) -> None:
        self.document = document
        self._figure = figure
        self._section = 0

    def section(self, zh: str, en: str) -> None:
        """一、…"""
        self._section += 1
        heading = say(f"{_NUMBERS[self._section - 1]}、{zh}", f"{self._section}. {en}")
        docx_parts.add_paragraph(self.document, heading, "Heading 1", keep=True)

    def paragraphs(self, lines: Iterable[str]) -> None:
        """One paragraph a line."""
        for line in lines:
            docx_parts.add_paragraph(self.document, line, BODY_TEXT)

    def table(self, table: Table, most: int | None = None) -> None:
        """A table, at most so many rows of it, or a word that there is nothing in it."""
        gap = docx_parts.add_gap(self.document)
        count = docx_parts.add_table(self.document, table, most)
        if not count:
            gap.getparent().remove(gap)
            self.paragraphs([say("没有。", "None.")])
            return
        if most is not None and count > most:
            more = say(f"其余 {count - most} 行见附件 2。", f"{count - most} more: see annex 2.")
            docx_parts.add_paragraph(self.document, more, TABLE_TEXT)
        docx_parts.add_paragraph(self.document, "", TABLE_TEXT)


def _body(writer: _Writer, figure: Figure, context: Context, todo: Plan) -> None:
    writer.section("要做什么", "What to do")
    writer.paragraphs(sentences.todo(todo))
    below = [area for area in figure.areas[1:] if area.level == "district"]
    if below:
        writer.table(_district_gaps(todo))
    writer.section("总体情况", "The figure")
    writer.paragraphs([text.dated(figure) + say("。", "."), *sentences.figures(figure)])
    writer.paragraphs(sentences.unknown(todo))
    if below:
        writer.section("各区县情况", "The districts")
        writer.table(tables.picked(area_tables.districts(figure, todo), 1, 2, 4, 5, 6, 7, 9, 16))
    writer.section("合同与实测", "Contract and measurement")
    writer.table(tables.picked(deed_tables.disputes(todo), 0, 2, 3, 4, 5, 6), _MOST)
    if context.frozen or context.months:
        writer.section("历年和逐月", "Years and months")
        writer.table(tables.picked(area_tables.trend(figure, context), 0, 1, 2, 3, 4, 5, 6, 13))
    writer.section("说明", "Notes")
    writer.paragraphs(caveats.sentences(figure))
    if figure.doubts:
        writer.table(tables.picked(doubts.table(figure), 0, 2, 3, 4), _MOST)
    _annexes(writer, figure, context, todo, whole=bool(below))


def _district_gaps(todo: Plan) -> Table:
    """Of the districts alone: what the city lacks stands in the sentences above."""
    table = tables.picked(area_tables.gaps(todo), 1, 2, 3, 5)
    own = todo.figure.areas[0].name

    def rows() -> Iterator[list[tables.Cell]]:
        return (list(row) for row in table.rows() if row[0] != own and row[2])

    return Table(table.key, table.title, table.columns, rows)


def _annexes(writer: _Writer, figure: Figure, context: Context, todo: Plan, *, whole: bool) -> None:
    first = say("整改任务表", "tasks") if whole else say("整改清单", "what to do")
    book = f"schoolpulse-{figure.year}{'-' if context.selection.code else ''}"
    book += f"{context.selection.code}.xlsx"
    second = say(
        f"2. 学校、班级、线路明细及依据（{book}）",
        f"2. schools, classes, lines and their evidence ({book})",
    )
    writer.paragraphs([""])
    add = docx_parts.add_paragraph
    listed = say(f"附件：1. {first}", f"Annexes: 1. {first}")
    add(writer.document, listed, BODY_TEXT, keep=True, place=docx_parts.FIRST_ANNEX)
    add(writer.document, second, BODY_TEXT, keep=True, place=docx_parts.NEXT_ANNEX)
    _signature(writer, context)
    annex = say("附件 1", "Annex 1")
    add(writer.document, annex, "Heading 1", new_page=True, keep=True, place=docx_parts.FLUSH)
    add(writer.document, first, "Heading 2", keep=True, place=docx_parts.MIDDLE)
    writer.table(deed_tables.tasks(todo) if whole else _deeds(todo))


def _deeds(todo: Plan) -> Table:
    """Each school's own; its name only where there are several."""
    school = () if todo.figure.areas[0].level == "school" else (2,)
    return tables.picked(deed_tables.deeds(todo), *school, 3, 4, 6, 7, 8)


def _signature(writer: _Writer, context: Context) -> None:
    """The unit and the date at the right, as below every letter; whom to ask at the left."""
    unit, *fields, date, archive, root = text.signature(context)
    add, blank_date = docx_parts.add_paragraph, say("　　　　年　　月　　日", _BLANK)
    add(writer.document, "", BODY_TEXT, keep=True)
    for (asked, known), blank in ((unit, _BLANK), (date, blank_date)):
        line = say(f"{asked}：{known or blank}", f"{asked}: {known or blank}")
        add(writer.document, line, BODY_TEXT, keep=True, place=docx_parts.RIGHT)
    for asked, known in (*fields, archive, root):
        line = say(f"{asked}：{known or _BLANK}", f"{asked}: {known or _BLANK}")
        add(writer.document, line, BODY_TEXT, keep=asked != root[0])

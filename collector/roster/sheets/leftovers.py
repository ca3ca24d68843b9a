"""What a workbook holds behind its cells: formulas, dates, merged and hidden cells, told. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.common.language import say
from collector.roster.problems import Problem
from collector.roster.sheets import sheetxml
from collector.roster.sheets.records import Table
from collector.roster.sheets.sheetxml import Marks


def told(table: Table, marks: Marks, found: Sequence[Problem]) -> list[Problem]:
    """The problems that were found and those of merged and hidden cells.

    An empty cell inside a merged range is not reported again as empty.
    """
    merged = list(_merged(table, marks))
    inside = {place for _, places in merged for place in places}
    return [
        *(problem for problem, _ in merged),
        *(p for p in found if p.value or (p.row, p.column) not in inside),
        *_hidden(table, marks),
    ]


def _merged(table: Table, marks: Marks) -> Iterator[tuple[Problem, set[tuple[int | None, str]]]]:
    used = {table.headings_row, *(record.row for record in table.records)}
    for reference in marks.merged:
        try:
            rows, columns = sheetxml.corners(reference)
        except ValueError:
            continue
        headings = [table.headings[c.name] for at, c in table.columns.items() if at in columns]
        if headings and not used.isdisjoint(rows):
            wrong = say(
                f"{reference} 是合并单元格，只有左上角一格有值",
                f"{reference} is merged: only its first cell has a value",
            )
            fix = say(
                "取消合并，每一行都填上（选中后 F5 定位空值，输入后 Ctrl+Enter）",
                "unmerge it and fill every row",
            )
            problem = Problem(table.file, wrong, fix, rows[0], headings[0])
            yield problem, {(row, heading) for row in rows for heading in headings}


def _hidden(table: Table, marks: Marks) -> Iterator[Problem]:
    for at, column in table.columns.items():
        if at in marks.hidden_columns:
            wrong = say("这一列是隐藏的，照样读入", "is hidden; it was read all the same")
            yield Problem(
                table.file, wrong, "", table.headings_row, table.headings[column.name], warning=True
            )
    for record in table.records:
        if record.row in marks.hidden_rows:
            wrong = say("是隐藏的行，照样读入", "is hidden; it was read all the same")
            fix = say("不用的删去", "delete it if it is not needed")
            yield Problem(table.file, wrong, fix, record.row, warning=True)

"""Rows of cells to records of values, by the sheet's columns."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.common.language import say
from collector.roster.problems import Problem, UnfitError
from collector.roster.sheets.layout import Column, Sheet
from collector.roster.sheets.values import PARSERS, plain, tidy

_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]|[\s*_:\-/]")


@dataclass(slots=True)
class Table:
    """A sheet as read: its records, and the heading of each column in this very file."""

    sheet: Sheet
    file: str
    headings: Mapping[str, str] = field(default_factory=dict)  # column name -> heading
    records: list[Record] = field(default_factory=list)
    whole: bool = True  # False: rows are missing, so no reference to it can be judged


@dataclass(slots=True)
class Record:
    """One row. A cell that could not be read is in `bad`, and its text stays in `text`."""

    table: Table
    row: int
    text: dict[str, str]  # column name -> tidied text
    values: dict[str, Any]  # column name -> value; empty cells are not in it
    bad: set[str] = field(default_factory=set)

    def get(self, name: str) -> Any:
        """The value, or None where the cell is empty or bad."""
        return self.values.get(name)

    def key(self, *names: str) -> tuple[str, ...]:
        """What other rows refer to; bad cells by their text, so that one slip is told once."""
        return tuple(str(self.values.get(name, self.text.get(name, ""))) for name in names)

    def problem(
        self, name: str, wrong: str, mend: str, *, value: str | None = None, warning: bool = False
    ) -> Problem:
        """A finding about one of this row's cells."""
        heading = self.table.headings.get(name) or self.table.sheet.column(name).heading
        shown = self.text.get(name, "") if value is None else value
        return Problem(self.table.file, wrong, mend, self.row, heading, shown, warning)


def parse(sheet: Sheet, file: str, rows: Sequence[tuple[int, list[str]]]) -> Iterator[Any]:
    """Yields every `Problem`, and last the `Table`."""
    table = Table(sheet, file)
    if rows:
        number, cells = rows[0]
        columns, found = _columns(sheet, file, number, [tidy(cell) for cell in cells])
        yield from found
        table.headings = {column.name: tidy(cells[at]) for at, column in columns.items()}
        if any(not problem.warning for problem in found):
            # Without its headings a file's cells mean nothing: one fault, not one a row.
            rows, table.whole = rows[:1], False
        for row, content in rows[1:]:
            yield from _record(table, columns, row, content, len(cells))
    yield table


def _columns(
    sheet: Sheet, file: str, row: int, headings: Sequence[str]
) -> tuple[dict[int, Column], list[Problem]]:
    known = {_fold(name): column for column in sheet.columns for name in _names(column)}
    columns: dict[int, Column] = {}
    problems = []
    for at, heading in enumerate(headings):
        column = known.get(_fold(heading))
        if not heading:
            continue
        if column is None:
            problems.append(_unknown(file, row, heading, sheet))
        elif column in columns.values():
            wrong = say("这一列出现了两次", "is there twice")
            problems.append(Problem(file, wrong, say("删去一列", "remove one"), row, heading))
        else:
            columns[at] = column
    missing = [c for c in sheet.columns if c.required and c not in columns.values()]
    problems += [_missing(file, row, column) for column in missing]
    return columns, problems


def _names(column: Column) -> Iterable[str]:
    return (column.name, column.zh, *column.also)


def _fold(heading: str) -> str:
    """合同带宽（Mbps） is 合同带宽, Contract Mbps is contract_mbps."""
    text = plain(heading).casefold()
    return _BRACKETS.sub("", text) or text


def _unknown(file: str, row: int, heading: str, sheet: Sheet) -> Problem:
    names = [name for column in sheet.columns for name in _names(column)]
    near = difflib.get_close_matches(heading, names, 1, cutoff=0.5)
    mend = say(f"是不是「{near[0]}」？", f"did you mean {near[0]!r}?") if near else ""
    wrong = say("没有这一列，已忽略", "is no column that we know; ignored")
    return Problem(file, wrong, mend, row, heading, warning=True)


def _missing(file: str, row: int, column: Column) -> Problem:
    names = say(f"「{column.zh}」（或 {column.name}）", f"{column.name!r} (or {column.zh})")
    wrong = say("缺少这一列", "this column is missing")
    mend = say(f"第一行加上列名{names}", f"add the heading {names}")
    return Problem(file, wrong, mend, row, column.heading)


def _record(
    table: Table, columns: Mapping[int, Column], row: int, cells: Sequence[str], width: int
) -> Iterator[Problem]:
    text = {column.name: tidy(cells[at]) for at, column in columns.items() if at < len(cells)}
    record = Record(table, row, text, {})
    table.records.append(record)
    extra = [tidy(cell) for cell in cells[width:]]
    if any(extra):
        wrong = say("单元格比列名多", "has more cells than there are headings")
        mend = say("看是否有逗号没有加引号", "check for a comma without quotes")
        yield Problem(table.file, wrong, mend, row, value=next(filter(None, extra)))
    for column in columns.values():
        if text.get(column.name):
            yield from _cell(record, column)
        elif column.required:
            record.bad.add(column.name)
            wrong = say("是空的", "is empty")
            yield record.problem(column.name, wrong, say("必填", "it must be filled"))


def _cell(record: Record, column: Column) -> Iterator[Problem]:
    try:
        record.values[column.name] = PARSERS[column.type](record.text[column.name])
    except UnfitError as error:
        record.bad.add(column.name)
        yield record.problem(column.name, error.wrong, error.mend)

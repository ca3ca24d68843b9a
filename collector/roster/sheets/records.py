"""Turns rows of cells into records of values, by the sheet's columns."""

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
    """A sheet as read: its records, and the headings that this file has."""

    sheet: Sheet
    file: str
    headings: Mapping[str, str] = field(default_factory=dict)  # column name -> heading
    records: list[Record] = field(default_factory=list)
    whole: bool = True  # False: rows are missing, so references to it cannot be checked


@dataclass(slots=True)
class Record:
    """One row. A column whose cell could not be read is in `bad`; its text stays in `text`."""

    table: Table
    row: int
    text: dict[str, str]  # column name -> tidied text
    values: dict[str, Any]  # column name -> value; empty cells are not in it
    bad: set[str] = field(default_factory=set)

    def get(self, name: str) -> Any:
        """The value, or None if the cell is empty or bad."""
        return self.values.get(name)

    def key(self, *names: str) -> tuple[str, ...]:
        """What other rows refer to; a bad cell counts by its text, so that it is reported once."""
        return tuple(str(self.values.get(name, self.text.get(name, ""))) for name in names)

    def problem(
        self, name: str, wrong: str, fix: str, *, value: str | None = None, warning: bool = False
    ) -> Problem:
        """A finding about one of this row's cells."""
        heading = self.table.headings.get(name) or self.table.sheet.column(name).heading
        shown = self.text.get(name, "") if value is None else value
        return Problem(self.table.file, wrong, fix, self.row, heading, shown, warning)


def parse(sheet: Sheet, file: str, rows: Sequence[tuple[int, list[str]]]) -> Iterator[Any]:
    """Yield every `Problem`, and the `Table` last."""
    table = Table(sheet, file)
    if rows:
        number, cells = rows[0]
        columns, found = _columns(sheet, file, number, [tidy(cell) for cell in cells])
        yield from found
        table.headings = {column.name: tidy(cells[at]) for at, column in columns.items()}
        if any(not problem.warning for problem in found):
            # Without headings the cells mean nothing: report that once, not once a row.
            rows, table.whole = rows[:1], False
        for row, content in rows[1:]:
            yield from _record(table, columns, row, content, len(cells))
    yield table


def _columns(
    sheet: Sheet, file: str, row: int, headings: Sequence[str]
) -> tuple[dict[int, Column], list[Problem]]:
    known = {_comparable(name): column for column in sheet.columns for name in _names(column)}
    columns: dict[int, Column] = {}
    problems = []
    for at, heading in enumerate(headings):
        column = known.get(_comparable(heading))
        if not heading:
            continue
        if column is None:
            problems.append(_unknown(file, row, heading, sheet))
        elif column in columns.values():
            wrong = say("这一列出现了两次", "appears twice")
            problems.append(Problem(file, wrong, say("删去一列", "remove one"), row, heading))
        else:
            columns[at] = column
    missing = [c for c in sheet.columns if c.required and c not in columns.values()]
    problems += [_missing(file, row, column) for column in missing]
    return columns, problems


def _names(column: Column) -> Iterable[str]:
    return (column.name, column.zh, *column.also)


def _comparable(heading: str) -> str:
    """A heading in comparable form: 合同带宽（Mbps） as 合同带宽, Contract Mbps as contractmbps."""
    text = plain(heading).casefold()
    return _BRACKETS.sub("", text) or text


def _unknown(file: str, row: int, heading: str, sheet: Sheet) -> Problem:
    names = [name for column in sheet.columns for name in _names(column)]
    near = difflib.get_close_matches(heading, names, 1, cutoff=0.5)
    fix = say(f"是不是「{near[0]}」？", f"did you mean {near[0]!r}?") if near else ""
    wrong = say("没有这一列，已忽略", "is not a known column; ignored")
    return Problem(file, wrong, fix, row, heading, warning=True)


def _missing(file: str, row: int, column: Column) -> Problem:
    names = say(f"「{column.zh}」（或 {column.name}）", f"{column.name!r} (or {column.zh})")
    wrong = say("缺少这一列", "this column is missing")
    fix = say(f"第一行加上列名{names}", f"add the heading {names}")
    return Problem(file, wrong, fix, row, column.heading)


def _record(
    table: Table, columns: Mapping[int, Column], row: int, cells: Sequence[str], width: int
) -> Iterator[Problem]:
    text = {column.name: tidy(cells[at]) for at, column in columns.items() if at < len(cells)}
    record = Record(table, row, text, {})
    table.records.append(record)
    extra = [tidy(cell) for cell in cells[width:]]
    if any(extra):
        wrong = say("单元格比列名多", "has more cells than there are headings")
        fix = say("看是否有逗号没有加引号", "check for a comma without quotes")
        yield Problem(table.file, wrong, fix, row, value=next(filter(None, extra)))
    yield from values(record, columns.values())


def values(record: Record, columns: Iterable[Column] | None = None) -> Iterator[Problem]:
    """Turn a row's text into values; what cannot be turned is reported, and `bad`."""
    for column in record.table.sheet.columns if columns is None else columns:
        if record.text.get(column.name):
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
        yield record.problem(column.name, error.wrong, error.fix)

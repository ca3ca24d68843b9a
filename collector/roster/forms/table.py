"""The table of a form: its headings, and each row's answer. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from agent.common.language import say
from collector.roster.forms import layout
from collector.roster.forms.cells import Sheet
from collector.roster.forms.layout import Place
from collector.roster.problems import Problem
from collector.roster.sheets.texts import tidy

_TICKS = {ord(mark): "是" for mark in "✓✔☑🗸对"} | {ord(mark): "否" for mark in "✗✘✕☒错"}


@dataclass(frozen=True, slots=True)
class Headings:
    """Where the table begins, and each of its columns."""

    row: int
    columns: Mapping[str, int]  # place -> column from 0
    names: Mapping[str, str]  # place -> the heading as the form has it
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One row of the table; `found` is empty where nobody answered."""

    row: int
    indicator: str
    unit: str
    found: str
    note: str
    headings: Mapping[str, str] = field(default_factory=dict)


def heading_row(sheet: Sheet) -> Headings | None:
    """The row that holds most of the headings, two at least; None: the sheet is no form."""
    rows = [_headings(row, cells) for row, cells in sheet.rows]
    best = max(rows, key=lambda one: len(one.columns), default=None)
    return best if best and len(best.columns) > 1 else None


def _headings(row: int, cells: list[str]) -> Headings:
    columns: dict[str, int] = {}
    names: dict[str, str] = {}
    unknown = []
    for at, cell in enumerate(cells):
        place = _places().get(layout.folded(cell)) if cell.strip() else None
        if place and place.name not in columns:
            columns[place.name], names[place.name] = at, tidy(cell)
        elif cell.strip():
            unknown.append(tidy(cell))
    return Headings(row, columns, names, tuple(unknown))


@cache
def _places() -> Mapping[str, Place]:
    return {name: place for place in layout.HEADINGS for name in place.known}


def answers(sheet: Sheet) -> tuple[list[Answer], list[Problem]]:
    """Every row that asks or says something, and what is wrong with the table."""
    head = heading_row(sheet)
    if head is None:
        return [], []
    problems = [*_missing(sheet, head), *_merged(sheet, head)]
    if problems:
        return [], problems
    given = [one for row, cells in sheet.rows if row > head.row for one in _row(head, row, cells)]
    problems = [found for one in given for found in _odd(sheet, head, one)]
    return [one for one in given if one.indicator or one.unit], problems


def _row(head: Headings, row: int, cells: list[str]) -> Iterator[Answer]:
    def cell(name: str) -> str:
        at = head.columns.get(name, len(cells))
        return tidy(" ".join(cells[at].split())) if at < len(cells) else ""

    found = cell("found").translate(_TICKS)
    one = Answer(row, cell("indicator"), cell("class"),
                 found, cell("note"), dict(head.names))  # fmt: skip
    if one.indicator or one.unit or one.found:
        yield one


def _missing(sheet: Sheet, head: Headings) -> Iterator[Problem]:
    for place in layout.NEEDED:
        if place.name in head.columns:
            continue
        near = [name for name in head.unknown if _near(name, place)]
        hint = say(f"是不是「{near[0]}」？", f"is it {near[0]!r}? ") if near else ""
        wrong = say("没有这一列，列名多半被改过", "is missing: its heading was edited")
        fix = hint + say(f"把列名改回「{place.zh}」", f"name it {place.en!r} again")
        yield Problem(sheet.name, wrong, fix, head.row, place.title)


def _near(heading: str, place: Place) -> bool:
    return bool(difflib.get_close_matches(layout.folded(heading), place.known, 1, cutoff=0.4))


def _merged(sheet: Sheet, head: Headings) -> Iterator[Problem]:
    """Merged cells of columns that are read: only the first of the rows would have an answer."""
    for top, bottom, left, right, where in sheet.merged:
        hit = [
            name
            for name, at in head.columns.items()
            if left <= at <= right and name in ("indicator", "class", "found", "note")
        ]
        if bottom >= head.row and hit:
            wrong = say(f"{where} 是合并单元格", f"{where} is a merged cell")
            fix = say("取消合并，每行各填一格", "split it, and fill in each row")
            yield Problem(sheet.name, wrong, fix, max(top, head.row), head.names[hit[0]])


def _odd(sheet: Sheet, head: Headings, one: Answer) -> Iterator[Problem]:
    at = head.columns["found"]
    heading = head.names["found"]
    if (one.row, at) in sheet.formulas:
        wrong = say("是公式", "is a formula")
        fix = say("改成「是」或「否」", "type yes or no")
        yield Problem(sheet.name, wrong, fix, one.row, heading, one.found)
    elif one.found and not one.indicator:
        wrong = say("是空的，不知道问的是什么", "is empty: the question is unknown")
        fix = say("照原表填回指标", "restore the indicator")
        yield Problem(sheet.name, wrong, fix, one.row, head.names["indicator"])
    elif one.note and not one.found and one.indicator:
        wrong = say("有备注而没有答案，这一行没有登记", "has a note and no answer; not taken")
        yield Problem(sheet.name, wrong, "", one.row, heading, warning=True)

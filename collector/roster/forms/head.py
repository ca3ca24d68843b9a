"""The labels above a form's table: school, number, date, inspector. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.common.language import say
from collector.roster.forms import layout
from collector.roster.forms.cells import Sheet
from collector.roster.forms.content import parts_of
from collector.roster.forms.table import heading_row
from collector.roster.problems import Problem
from collector.roster.sheets.texts import plain, tidy

_COLON = re.compile("[:：]")


@dataclass(frozen=True, slots=True)
class Found:
    """A label as the form has it, its row, and what is written beside it."""

    label: str
    row: int
    column: int
    text: str


@dataclass(slots=True)
class Head:
    """What stands above the table."""

    sheet: Sheet
    labels: dict[str, Found] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """What is written beside a label; empty: nothing, or no such label."""
        return self.labels[name].text if name in self.labels else ""


def read_head(sheet: Sheet) -> tuple[Head, list[Problem]]:
    """The labels, and what is wrong with the cells beside them."""
    head = Head(sheet)
    end = heading_row(sheet)
    for row, cells in sheet.rows:
        if end and row < end.row:
            for found in _labels(row, cells):
                head.labels.setdefault(found[0], found[1])
    problems = [*_missing(head), *_formulas(head)]
    return head, problems or list(_number(head))


def _labels(row: int, cells: list[str]) -> Iterator[tuple[str, Found]]:
    for at, cell in enumerate(cells):
        label, value = tidy(cell), ""
        parts = _COLON.split(label, maxsplit=1)
        if len(parts) == 2:
            label, value = parts[0].strip(), parts[1].strip()
        for place in layout.LABELS:
            if layout.folded(label) in place.known:
                column, text = _beside(cells, at)
                text = _tidied(place.name, value or text)
                yield place.name, Found(label, row, column, text)


def _beside(cells: list[str], at: int) -> tuple[int, str]:
    """The first written cell right of a label, where it is no label itself; else the next one."""
    for column, text in enumerate(cells[at + 1 :], at + 1):
        if text.strip():
            return (at + 1, "") if _is_label(text) else (column, text)
    return at + 1, ""


def _is_label(text: str) -> bool:
    """Whether the next cell is another label: then this one has nothing beside it."""
    label = layout.folded(_COLON.split(tidy(text), maxsplit=1)[0])
    made = layout.folded(say("制表日期", "Made on"))
    return label == made or any(label in place.known for place in (layout.NAME, *layout.LABELS))


def _tidied(name: str, text: str) -> str:
    text = tidy(" ".join(text.split()))
    return plain(text).replace(" ", "") if name in ("school", "number") else text


def _missing(head: Head) -> Iterator[Problem]:
    for place in (layout.SCHOOL, layout.DATE, layout.INSPECTOR):
        found = head.labels.get(place.name)
        if found is None:
            wrong = say("表头里没有这一项", "is not above the table")
            fix = say(
                "在表格上方写上它，右边一格填内容", "write it above the table, its value beside it"
            )
            yield Problem(head.sheet.name, wrong, fix, column=place.title)
        elif not found.text and (found.row, found.column) not in head.sheet.formulas:
            fix = say("填在它右边一格", "fill in the cell beside it")
            yield Problem(head.sheet.name, say("是空的", "is empty"), fix, found.row, found.label)


def _formulas(head: Head) -> Iterator[Problem]:
    for found in head.labels.values():
        if (found.row, found.column) in head.sheet.formulas:
            wrong = say("是公式，打开一次就变", "is a formula, which changes each time")
            fix = say("改成填写的内容", "type what it should be")
            yield Problem(head.sheet.name, wrong, fix, found.row, found.label, found.text)


def _number(head: Head) -> Iterator[Problem]:
    """The form's number must be of the school that the form names."""
    found, school = head.labels.get("number"), head.text("school")
    if found is None or not found.text:
        wrong = say("没有表号，看不出是按哪次台账做的", "has no number: its register is unknown")
        yield Problem(head.sheet.name, wrong, "", warning=True)
        return
    parts = parts_of(found.text)
    if parts is None:
        wrong = say("不是表号，多半被改过", "is no number of a form: it was edited")
        fix = say("照原表改回，或清空", "restore it, or leave it empty")
        yield Problem(head.sheet.name, wrong, fix, found.row, found.label, found.text)
    elif parts[0] != school:
        place = head.labels["school"]
        wrong = say(
            f"与表号不符：这张表是 {parts[0]} 的", f"is not the form's school, which is {parts[0]}"
        )
        fix = say("填错表了，换成这所学校的表", "use the form of that school")
        yield Problem(head.sheet.name, wrong, fix, place.row, place.label, school)

"""Reads a filled form: its labels, then each row that has an answer.

The answers become a table of the sheet of inspections, so that they are checked as any others.
What is wrong is told with the form's own sheet, row and heading.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from agent.common.language import say
from collector.roster.book import inspections
from collector.roster.forms import cells, layout
from collector.roster.forms.content import parts_of
from collector.roster.forms.head import Head, read_head
from collector.roster.forms.table import Answer, answers, heading_row
from collector.roster.problems import Problem, errors
from collector.roster.register import Inspection, Register
from collector.roster.sheets.layout import INSPECTIONS
from collector.roster.sheets.records import Record, Table, values

_THRESHOLD = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(m|兆|g|千兆)", re.IGNORECASE)


@dataclass(slots=True)
class Filled:
    """What a file says: the records, how many rows were left empty, the forms' numbers."""

    records: list[Inspection] = field(default_factory=list)
    empty: int = 0
    made_from: dict[str, int] = field(default_factory=dict)  # school -> import of its form
    units: dict[str, set[str]] = field(default_factory=dict)  # school -> classes it asks about


def read_form(
    path: Path, register: Register, threshold_mbps: float, today: dt.date
) -> tuple[Filled, list[Problem]]:
    """Read and check a file of forms; with any error there are no records.

    `threshold_mbps` is what a line is judged by where the form does not say.
    """
    sheets, problems = cells.read(path)
    filled = Filled()
    forms = [sheet for sheet in sheets if heading_row(sheet)]
    if sheets and not forms:
        problems.append(_no_form(path))
    said: list[tuple[Head, list[Answer]]] = []
    for sheet in forms:
        head, found = read_head(sheet)
        given, more = answers(sheet)
        filled.empty += sum(not one.found for one in given)
        if any(one.found for one in given):
            said.append((head, given))
            problems += [*found, *more]
        else:
            problems += [one for one in more if not one.warning]
    if forms and not said and not errors(problems):
        problems.append(_nothing(path, filled.empty))
    for head, given in said:
        problems += _taken(filled, head, given, register, threshold_mbps, today)
    problems += _twice(said)
    if errors(problems):
        filled.records = []
    return filled, problems


def _taken(
    filled: Filled, head: Head, given: list[Answer], register: Register,
    threshold_mbps: float, today: dt.date,
) -> list[Problem]:  # fmt: skip
    """One sheet's answers, checked against the register, and added to what is filled."""
    school = head.text("school")
    number = parts_of(head.text("number"))
    if number:
        filled.made_from[school] = number[1]
    filled.units.setdefault(school, set()).update(one.unit for one in given)
    table = Table(INSPECTIONS, head.sheet.name, _headings(head, given))
    known = {layout.folded_name(row.name): row.name for row in register.classes_of.get(school, ())}
    for one in given:
        if one.found:
            table.records.append(_record(table, head, one, known))
    problems = [problem for record in table.records for problem in values(record)]
    problems += list(inspections.check(table, register, today))
    filled.records += inspections.inspections_of(table, problems, threshold_mbps)
    return _once(problems, head)


def _headings(head: Head, given: list[Answer]) -> dict[str, str]:
    """The sheet's own words for each column."""
    above = {name: place.label for name, place in head.labels.items()}
    return above | dict(given[0].headings)


def _record(table: Table, head: Head, one: Answer, known: Mapping[str, str]) -> Record:
    unit = known.get(layout.folded_name(one.unit), one.unit)
    rate = _THRESHOLD.search(one.indicator)
    indicator = one.indicator
    if rate:
        indicator = re.sub(r"[（(].*?[)）]|[（(].*", "", one.indicator).strip() or one.indicator
    text = {
        "school": head.text("school"), "indicator": indicator, "class": unit,
        "date": head.text("date"), "inspector": head.text("inspector"), "found": one.found,
        "note": one.note, "threshold": rate[0] if rate else "",
    }  # fmt: skip
    return Record(table, one.row, text, {})


def _once(problems: list[Problem], head: Head) -> list[Problem]:
    """What is wrong with a cell above the table is told once, at its own row; an empty one is told
    already."""
    rows = {place.label: place.row for place in head.labels.values()}
    empty = {
        head.labels[name].label if name in head.labels else INSPECTIONS.column(name).heading
        for name in ("school", "date", "inspector")
        if not head.text(name)
    }
    told = [one for one in problems if one.column not in empty]
    return list(dict.fromkeys(replace(one, row=rows.get(one.column, one.row)) for one in told))


def _twice(said: list[tuple[Head, list[Answer]]]) -> Iterator[Problem]:
    """Two answers to one question, in one sheet or in two."""
    first: dict[tuple[str, ...], tuple[Head, Answer]] = {}
    for head, given in said:
        for one in given:
            if not one.found:
                continue
            who = (head.text("school"), head.text("date"), head.text("inspector"))
            key = (*who, layout.folded(one.indicator), layout.folded_name(one.unit))
            other_head, other = first.setdefault(key, (head, one))
            if other is not one:
                yield _again(head, one, other_head, other)


def _again(head: Head, one: Answer, other_head: Head, other: Answer) -> Problem:
    where = say(f"第 {other.row} 行", f"row {other.row}")
    if other_head is not head:
        where = f"{other_head.sheet.name} {where}"
    column = one.headings["found"]
    if (one.found, one.note) == (other.found, other.note):
        wrong = say(f"与{where}相同，只登记一次", f"says the same as {where}; taken once")
        return Problem(head.sheet.name, wrong, "", one.row, column, one.found, warning=True)
    wrong = say(f"与{where}（{other.found}）说的不一样", f"differs from {where} ({other.found})")
    fix = say("留下对的一行，另一行清空", "keep the right one, empty the other")
    return Problem(head.sheet.name, wrong, fix, one.row, column, one.found)


def _no_form(path: Path) -> Problem:
    names = say("、", ", ").join(place.title for place in layout.NEEDED)
    wrong = say("里没有核查表", "holds no inspection form")
    fix = say(
        f"列名要有 {names}；用 schoolpulse inspect sheet 重新出表",
        f"it needs the headings {names}; make one by schoolpulse inspect sheet",
    )
    return Problem(path.name, wrong, fix)


def _nothing(path: Path, empty: int) -> Problem:
    wrong = say(f"一行也没有填（{empty} 行都空着）", f"has no answer ({empty} empty rows)")
    title = layout.FOUND.title
    fix = say(f"在「{title}」列选是或否", f"choose yes or no in the column {title!r}")
    return Problem(path.name, wrong, fix)

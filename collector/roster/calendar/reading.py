"""Reads a file's days, and puts them together with those of the register in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from agent.common.language import say
from collector.roster.calendar import ics
from collector.roster.problems import Problem
from collector.roster.register import CalendarRow
from collector.roster.rows import Rows
from collector.roster.sheets import check_calendar, encoding, parts, read_table
from collector.roster.sheets.csvfile import MAX_BYTES
from collector.roster.sheets.layout import SHEETS
from collector.roster.sheets.records import Record, Table, parse
from collector.roster.sheets.writing import sheet_text

CALENDAR = SHEETS["calendar"]
_ZH = {"term": "学期", "holiday": "放假", "makeup": "调休上课"}


def read(path: Path, before: Rows, *, whole: bool) -> tuple[Rows, list[Problem]]:
    """The register with the days of the file; all other sheets are those of `before`.

    `whole`: the file's days take the place of the calendar; else they are added to it. With an
    error among the problems the rows are to be left alone.
    """
    table, problems = _ics(path) if path.suffix.lower() == ".ics" else read_table(CALENDAR, path)
    records = list(table.records)
    if not whole:
        given = set(map(_key, records))
        records = [*(r for r in in_force(before).records if _key(r) not in given), *records]
    joined = Table(CALENDAR, table.file, table.headings, records, table.whole)
    found = [_hinted(one, whole) for one in check_calendar.check(joined) if not _old(one)]
    rows = tuple(
        CalendarRow(*key, record.get("note") or "") for record in records if (key := _key(record))
    )
    return replace(before, calendar=rows), [*problems, *found]


def in_force(rows: Rows) -> Table:
    """The calendar of the register in force, as a sheet."""
    text = [(number, list(cells)) for number, cells in enumerate(sheet_text(CALENDAR, rows), 1)]
    *_, table = parse(CALENDAR, parts.in_force(CALENDAR), text)
    assert isinstance(table, Table)
    return table


def _ics(path: Path) -> tuple[Table, list[Problem]]:
    problems: list[Problem] = []
    events: Iterable[ics.Event] = ()
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        wrong = say(f"读不到：{error.strerror}", f"cannot be read: {error.strerror}")
        fix = say("核对路径和权限", "check the path and its permissions")
        return Table(CALENDAR, path.name, whole=False), [Problem(path.name, wrong, fix)]
    save = say("重新导出为 UTF-8", "export it again as UTF-8")
    if len(data) > MAX_BYTES:
        problems.append(Problem(path.name, say("太大", "is too large"), save))
    else:
        text, problem = encoding.decode(path.name, data, save)
        events, problems = ([], [problem]) if problem else ics.read(path.name, text)
    cells = [(one.line, [f"{one.first}", f"{one.last}", _ZH[one.kind], one.note]) for one in events]
    *found, table = parse(CALENDAR, path.name, [(0, ["日期", "结束日期", "类别", "说明"]), *cells])
    assert isinstance(table, Table)
    return table, [*problems, *(one for one in found if isinstance(one, Problem) and events)]


def _key(record: Record) -> tuple[dt.date, dt.date, str] | None:
    """First day, last day and kind; None where a cell is no such thing."""
    days = check_calendar.span(record)
    return (*days, record.values["kind"]) if days and record.get("kind") else None


def _old(problem: Problem) -> bool:
    """A warning about days that are in force already."""
    return problem.warning and parts.is_in_force(problem)


def _hinted(problem: Problem, whole: bool) -> Problem:
    if problem.warning or whole:
        return problem
    more = say(
        "；文件就是整个校历的，加 --remove", "; where the file is the whole calendar, add --remove"
    )
    return replace(problem, fix=problem.fix + more)

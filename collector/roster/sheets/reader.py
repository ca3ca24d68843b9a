"""Reads sheets into the register's rows, and reports everything wrong with them.

The sheets and their columns are those of `collector.roster.sheets.layout`; they come from CSV
files, from one workbook, or from several.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.common.language import say
from collector.roster import register
from collector.roster.problems import Problem, errors
from collector.roster.rows import Rows
from collector.roster.sheets import defaults, parts, sources, workbook
from collector.roster.sheets.check import check
from collector.roster.sheets.check_calendar import span
from collector.roster.sheets.layout import SHEETS, Sheet
from collector.roster.sheets.parts import Excerpt, is_in_force
from collector.roster.sheets.records import Record, Table
from collector.roster.sheets.sources import Source

_READ = {".csv", *workbook.SUFFIXES, *workbook.OTHERS}
_ROWS: Mapping[str, type[Any]] = {
    "schools": register.School,
    "campuses": register.Campus,
    "lines": register.Line,
    "rooms": register.Room,
    "classes": register.SchoolClass,
    "equipment": register.Equipment,
    "machines": register.Machine,
}


def read_folder(path: Path, excerpt: Excerpt | None = None) -> tuple[Rows, list[Problem]]:
    """Read and check every sheet of a folder, or of one file; with an `excerpt`, that alone.

    Returns the rows and all problems at once, errors and warnings (`Problem.warning`), in the
    order of sheets and rows. If there is any error the rows are empty: an import is never partial.
    """
    found, problems = _sources(path)
    tables = {}
    for name, source in found.items():
        table, wrong = source.read(SHEETS[name])
        problems += wrong
        tables[name] = table
    if excerpt:
        tables, problems = parts.completed(tables, problems, excerpt)
    problems += [one for one in check(tables) if not one.warning or not is_in_force(one)]
    problems = _sorted(problems, [source.label for source in found.values()])
    if errors(problems):
        return Rows(), problems
    return _rows(tables), problems


def read_table(sheet: Sheet, file: Path) -> tuple[Table, list[Problem]]:
    """Read one file as one sheet; its rows are not yet checked against other sheets.

    Of a workbook it is the sheet that bears the name or the headings, else the first.
    """
    found, problems = sources.of_file(file)
    if not found:
        return Table(sheet, file.name, whole=False), problems
    return sources.best(found, sheet).read(sheet)


def hashes(path: Path) -> dict[str, str]:
    """SHA-256 of the files that `read_folder` reads, by file name, for the import history."""
    files = {source.file for source in _sources(path)[0].values()}
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(files)
        if file.is_file()
    }


def _sources(path: Path) -> tuple[dict[str, Source], list[Problem]]:
    """The source of each sheet, in the sheets' order, and what is wrong with the files."""
    try:
        entries = [path] if path.is_file() else sorted(path.iterdir())
    except OSError as error:
        wrong = say(f"打不开：{error.strerror}", f"cannot be opened: {error.strerror}")
        fix = say("给出工作簿，或放着各表的文件夹", "name the workbook, or the folder of sheets")
        return {}, [Problem(str(path), wrong, fix)]
    found: list[Source] = []
    problems: list[Problem] = []
    for entry in entries:
        if entry.suffix.lower() in _READ and not entry.name.startswith((".", "~$")):
            more, unfit = sources.of_file(entry)
            found += more
            problems += unfit
    chosen, more_problems = sources.chosen(found)
    unread = bool(errors(problems))
    return chosen, [*problems, *more_problems, *([] if unread else _missing(chosen))]


def _missing(found: Mapping[str, Source]) -> Iterator[Problem]:
    for sheet in SHEETS.values():
        if sheet.name in found:
            continue
        if sheet.required:
            wrong = say(f"没有这张表（{sheet.zh[0]}）", "is missing")
            fix = say(
                f"加上它，工作簿里命名为「{sheet.zh[0]}」；确实一行也没有的，留下只有列名的表",
                f"add it, in a workbook as sheet {sheet.name!r}; without rows, keep its headings",
            )
            yield Problem(sheet.file, wrong, fix)
        else:
            wrong = say(f"没有这张表（{sheet.zh[0]}），当作空表", "is missing: taken as empty")
            yield Problem(sheet.file, wrong, "", warning=True)


def _sorted(problems: list[Problem], files: list[str]) -> list[Problem]:
    order = {file: number for number, file in enumerate(files)}
    return sorted(problems, key=lambda p: (order.get(p.file, -1), p.row or 0))


def _rows(tables: Mapping[str, Table]) -> Rows:
    made = {name: tuple(map(_row, table.records)) for name, table in tables.items()}
    schools: tuple[register.School, ...] = made.get("schools", ())
    known = defaults.learnt(tables).names
    used = {code for school in schools for code in (school.district, school.responsible)}
    areas = {code: name for code, name in known.items() if code in used or code in Rows().areas}
    return Rows(**made, areas=areas)


def _row(record: Record) -> Any:
    sheet = record.table.sheet
    if sheet.name == "calendar":
        first, last = span(record) or (None, None)
        assert first
        assert last
        return register.CalendarRow(first, last, record.values["kind"], record.get("note") or "")
    values = {
        column.attribute: record.values[column.name]
        for column in sheet.columns
        if column.name in record.values
    }
    if sheet.name == "rooms":
        values.setdefault("name", values["room"])
    return _ROWS[sheet.name](**values)

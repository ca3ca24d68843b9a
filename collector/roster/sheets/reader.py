"""Reads a folder of sheets into the register's rows, and reports everything wrong with them.

The sheets and their columns are those of `collector.roster.sheets.layout`.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.common.language import say
from collector.roster import register
from collector.roster.problems import Problem, errors
from collector.roster.rows import Rows
from collector.roster.sheets import csvfile, defaults, parts
from collector.roster.sheets.check import check
from collector.roster.sheets.check_calendar import span
from collector.roster.sheets.layout import NOTES, SHEETS, Sheet
from collector.roster.sheets.parts import Excerpt, is_in_force
from collector.roster.sheets.records import Record, Table, parse

_BOOKS = {".xlsx", ".xls", ".xlsm", ".et", ".ods"}
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
    """Read and check every sheet of a folder; with an `excerpt`, only that is taken.

    Returns the rows and all problems at once, errors and warnings (`Problem.warning`), in the
    order of sheets and rows. If there is any error the rows are empty: an import is never partial.
    """
    files, problems = _files(path)
    tables = {}
    for name, file in files.items():
        table, found = read_table(SHEETS[name], file)
        problems += found
        tables[name] = table
    if excerpt:
        tables, problems = parts.completed(tables, problems, excerpt)
    problems += [found for found in check(tables) if not found.warning or not is_in_force(found)]
    problems = _sorted(problems, [file.name for file in files.values()])
    if errors(problems):
        return Rows(), problems
    return _rows(tables), problems


def read_table(sheet: Sheet, file: Path) -> tuple[Table, list[Problem]]:
    """Read one file as one sheet; its rows are not yet checked against other sheets."""
    rows, problems = csvfile.read(file)
    *found, table = parse(sheet, file.name, rows)
    table.whole = table.whole and not problems
    return table, [*problems, *found]


def hashes(path: Path) -> dict[str, str]:
    """SHA-256 of the sheets that `read_folder` reads, by file name, for the import history."""
    files, _ = _files(path)
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files.values()
        if file.is_file()
    }


def _files(path: Path) -> tuple[dict[str, Path], list[Problem]]:
    """The file of each sheet, in the sheets' order, and what is wrong with the folder."""
    try:
        entries = [path] if path.is_file() else sorted(path.iterdir())
    except OSError as error:
        wrong = say(f"打不开：{error.strerror}", f"cannot be opened: {error.strerror}")
        fix = say("给出放着各表 CSV 的文件夹", "name the folder that holds the sheets")
        return {}, [Problem(str(path), wrong, fix)]
    files: dict[str, Path] = {}
    problems: list[Problem] = []
    for entry in entries:
        if not entry.name.startswith((".", "~$")):
            problems += _take(entry, files)
    problems += _missing(files)
    return {name: files[name] for name in SHEETS if name in files}, problems


def _take(entry: Path, files: dict[str, Path]) -> Iterator[Problem]:
    if entry.suffix.lower() in _BOOKS:
        wrong = say("是工作簿，这里只读 CSV", "is a workbook; only CSV is read")
        fix = say(
            "每张表另存为「CSV UTF-8（逗号分隔）」，再把它移出文件夹",
            "save each sheet as 'CSV UTF-8', then move it out of the folder",
        )
        yield Problem(entry.name, wrong, fix)
    if entry.suffix.lower() != ".csv" or entry.stem in NOTES:
        return
    name = _sheet_of(entry.stem)
    if not name:
        yield _unknown(entry)
    elif name in files:
        wrong = say(f"与 {files[name].name} 是同一张表", f"is the same sheet as {files[name].name}")
        yield Problem(entry.name, wrong, say("留一个", "keep one"))
    else:
        files[name] = entry


def _sheet_of(stem: str) -> str:
    names = {known: sheet.name for sheet in SHEETS.values() for known in (sheet.name, *sheet.zh)}
    return names.get(stem.strip().lower(), "")


def _unknown(entry: Path) -> Problem:
    known = [name for sheet in SHEETS.values() for name in (sheet.name, *sheet.zh)]
    near = difflib.get_close_matches(entry.stem.lower(), known, 1)
    fix = say(f"是不是 {near[0]}.csv？", f"did you mean {near[0]}.csv?") if near else ""
    wrong = say("不是台账的表，已忽略", "is not a sheet of the register; ignored")
    return Problem(entry.name, wrong, fix, warning=True)


def _missing(files: Mapping[str, Path]) -> Iterator[Problem]:
    for sheet in SHEETS.values():
        if sheet.name in files:
            continue
        if sheet.required:
            wrong = say(f"没有这张表（{sheet.zh[0]}）", "is missing")
            fix = say(
                "加上它；确实一行也没有的，留下只有列名的文件",
                "add it; where it has no rows, keep a file of headings",
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

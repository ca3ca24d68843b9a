"""Part imports: some schools or some sheets as read, the rest as the register in force has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from agent.common.language import say
from collector.roster.problems import Problem
from collector.roster.rows import Rows
from collector.roster.sheets.layout import SHEETS, Sheet
from collector.roster.sheets.records import Record, Table, parse
from collector.roster.sheets.writing import sheet_text


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is to be taken of what was read; `before` are the rows in force.

    No schools: all. No sheets: those that were read, and with schools all but the calendar.
    """

    before: Rows
    schools: frozenset[str] = frozenset()
    sheets: frozenset[str] = frozenset()

    def takes(self, sheet: str) -> bool:
        """Whether a sheet is taken, where it was read."""
        return sheet in self.sheets or not (self.sheets or (self.schools and sheet == "calendar"))

    def told(self) -> dict[str, list[str]]:
        """The limits, for the history."""
        limits = {"schools": sorted(self.schools), "sheets": sorted(self.sheets)}
        return {name: values for name, values in limits.items() if values}


def completed(
    tables: Mapping[str, Table], problems: Sequence[Problem], excerpt: Excerpt
) -> tuple[dict[str, Table], list[Problem]]:
    """Whole tables, and the problems that matter to what is taken.

    A row of the register in force stands in them under a file name of its own (`in_force`), with
    the row number that an export would give it.
    """
    taken = {name: table for name, table in tables.items() if excerpt.takes(name)}
    whole = {
        sheet.name: _merged(_in_force(sheet, excerpt.before), taken.get(sheet.name), excerpt)
        for sheet in SHEETS.values()
    }
    files = {table.file for name, table in tables.items() if name not in taken}
    rows = set(_other_schools(taken, excerpt.schools))
    told = [
        one
        for one in problems
        if one.file not in files and (one.file, one.row) not in rows and not _missing(one, tables)
    ]
    return whole, [*told, *_nothing_taken(taken, excerpt)]


def in_force(sheet: Sheet) -> str:
    """What messages call a sheet of the register in force."""
    return say(f"现行台账「{sheet.title}」表", f"register in force, {sheet.title}")


def is_in_force(problem: Problem) -> bool:
    """Whether a problem is one of the register in force, and of nothing that was read."""
    return problem.file in map(in_force, SHEETS.values())


def _in_force(sheet: Sheet, rows: Rows) -> Table:
    text = [(number, list(cells)) for number, cells in enumerate(sheet_text(sheet, rows), start=1)]
    *_, table = parse(sheet, in_force(sheet), text)
    assert isinstance(table, Table)
    return table


def _merged(old: Table, new: Table | None, excerpt: Excerpt) -> Table:
    """The old records, with the new ones in the places of those that they replace."""
    if new is None:
        return old
    if not excerpt.schools or new.sheet.name == "calendar":
        return new
    given: dict[str, list[Record]] = defaultdict(list)
    for record in new.records:
        given[_school(record)].append(record)
    records: list[Record] = []
    for record in old.records:
        code = _school(record)
        if code not in excerpt.schools:
            records.append(record)
        records += given.pop(code, ()) if code in excerpt.schools else ()
    records += [row for code, rows in given.items() if code in excerpt.schools for row in rows]
    return Table(new.sheet, new.file, new.headings, records, new.whole)


def _school(record: Record) -> str:
    return record.key("code" if record.table.sheet.name == "schools" else "school")[0]


def _other_schools(
    taken: Mapping[str, Table], schools: Collection[str]
) -> Iterator[tuple[str, int | None]]:
    """File and row of what stands in the sheets that are taken, and is of another school."""
    for name, table in taken.items() if schools else ():
        for record in table.records:
            if name != "calendar" and _school(record) not in schools:
                yield table.file, record.row


def _missing(problem: Problem, tables: Mapping[str, Table]) -> bool:
    """Whether it is about a sheet that is not there: it stays as it is in force."""
    missing = {sheet.file for sheet in SHEETS.values() if sheet.name not in tables}
    return problem.row is None and problem.file in missing


def _nothing_taken(taken: Mapping[str, Table], excerpt: Excerpt) -> Iterator[Problem]:
    for name in sorted(excerpt.sheets - taken.keys()):
        wrong = say("没有读到这张表", "was not found")
        yield Problem(SHEETS[name].title, wrong, say("核对文件和 --sheet", "check --sheet"))
    if not taken and not excerpt.sheets:
        wrong = say("没有读到台账的表", "no sheet of the register was found")
        fix = say("文件名用表名，如 教室.csv", "name the file as the sheet, such as rooms.csv")
        yield Problem(say("导入", "import"), wrong, fix)
    known = {_school(record) for table in taken.values() for record in table.records}
    for code in sorted(excerpt.schools - known) if taken else ():
        wrong = say("各表里没有这所学校的行", "no sheet has a row of this school")
        fix = say(
            "核对学校标识码；撤并的学校填撤并日期", "check the code; closed schools get a date"
        )
        yield Problem("--school", wrong, fix, value=code)

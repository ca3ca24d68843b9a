"""Where sheets are found: CSV files and the sheets of workbooks, by their names or headings."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.common.language import say
from collector.roster.problems import Problem, UnfitError
from collector.roster.sheets import csvfile, leftovers, workbook
from collector.roster.sheets.headings import HEAD_ROWS, recognized
from collector.roster.sheets.layout import NOTES, SHEETS, Sheet
from collector.roster.sheets.records import Table, parse
from collector.roster.sheets.sheetxml import Row
from collector.roster.sheets.workbook import BookSheet

_LEGAL_NAME = re.compile(
    r"[\s\d.、_\-（）()年]|(基本)?(信息|情况|数据)?(一览|台账|登记|统计|汇总|明细)?表?$"
)


@dataclass(slots=True)
class Source:
    """One sheet of one file. `label` is how messages name it; `name` what its keeper named it."""

    file: Path
    label: str
    name: str
    hidden: bool = False
    book: BookSheet | None = None
    _csv: tuple[csvfile.Rows, list[Problem]] | None = field(default=None, repr=False)

    def head(self) -> list[Row]:
        """The first rows that hold anything; none if it cannot be read."""
        try:
            return list(itertools.islice(self._rows(), HEAD_ROWS))
        except UnfitError:
            return []

    def read(self, sheet: Sheet) -> tuple[Table, list[Problem]]:
        """Its rows as records of a sheet; they are not yet checked against other sheets."""
        problems: list[Problem] = []
        try:
            *found, table = parse(sheet, self.label, self._rows(), self.name)
        except UnfitError as error:
            problems = [Problem(self.label, error.wrong, error.fix)]
            *found, table = parse(sheet, self.label, (), self.name)
        if self.book is None:
            problems += self._read_csv()[1]
        else:
            found = leftovers.told(table, self.book.marks, found)
        table.whole = table.whole and not problems
        return table, [*problems, *found]

    def _rows(self) -> Iterable[Row]:
        return self.book.rows() if self.book else self._read_csv()[0]

    def _read_csv(self) -> tuple[csvfile.Rows, list[Problem]]:
        if self._csv is None:
            self._csv = csvfile.read(self.file)
        return self._csv


def of_file(path: Path) -> tuple[list[Source], list[Problem]]:
    """The sheets in one file."""
    if path.suffix.lower() in workbook.SUFFIXES | workbook.OTHERS:
        found, problems = workbook.sheets(path)
        return [Source(path, one.label, one.name, one.hidden, one) for one in found], problems
    return [Source(path, path.name, path.stem)], []


def chosen(sources: Sequence[Source]) -> tuple[dict[str, Source], list[Problem]]:
    """The source of each sheet, in the sheets' order, and what is wrong with the choice."""
    found: dict[str, Source] = {}
    problems: list[Problem] = []
    for source in sources:
        name, hints = kind_of(source)
        problems += hints
        if not name:
            continue
        if name not in found:
            found[name] = source
            problems += _hidden(source)
        elif source.hidden and not found[name].hidden:
            problems.append(_second(source, found[name], warning=True))
        else:
            problems.append(_second(source, found[name], warning=False))
    return {name: found[name] for name in SHEETS if name in found}, problems


def kind_of(source: Source) -> tuple[str, list[Problem]]:
    """Which of the register's sheets it is, by its name, else by its headings; empty: none."""
    name = _by_name(source.name)
    if name or _is_notes(source.name):
        return name, []
    head = source.head()
    known = recognized(SHEETS.values(), head)
    if len(known) == 1:
        wrong = say(
            f"按列名认作「{known[0].title}」表", f"was taken for {known[0].title}, by its headings"
        )
        return known[0].name, [Problem(source.label, wrong, "", warning=True)]
    if source.book and not head:
        return "", []  # the empty Sheet2 and Sheet3 of a new workbook
    return "", [_unknown(source, known)]


def _by_name(name: str) -> str:
    """学校, schools, 1.学校, 学校信息表 and 2026年学校基本情况表 are all the sheet of schools."""
    names = {known: sheet.name for sheet in SHEETS.values() for known in (sheet.name, *sheet.zh)}
    bare = name.strip().lower()
    return names.get(bare) or names.get(_LEGAL_NAME.sub("", bare), "")


def _is_notes(name: str) -> bool:
    return name.strip() in NOTES


def _unknown(source: Source, known: Sequence[Sheet]) -> Problem:
    names = [name for sheet in SHEETS.values() for name in (sheet.name, *sheet.zh)]
    near = difflib.get_close_matches(source.name.lower(), names, 1)
    if known:
        several = say("、", ", ").join(sheet.title for sheet in known)
        fix = say(f"可能是 {several}：用表名命名它", f"may be {several}: name it so")
    elif near:
        shown = near[0] if source.book else f"{near[0]}.csv"
        fix = say(f"是不是 {shown}？", f"did you mean {shown}?")
    else:
        fix = ""
    wrong = say("不是台账的表，已忽略", "is not a sheet of the register; ignored")
    return Problem(source.label, wrong, fix, warning=True)


def _hidden(source: Source) -> Iterator[Problem]:
    if source.hidden:
        wrong = say("是隐藏的表，照样读入", "is hidden; it was read all the same")
        fix = say("不用的删去", "delete it if it is not needed")
        yield Problem(source.label, wrong, fix, warning=True)


def _second(source: Source, first: Source, *, warning: bool) -> Problem:
    wrong = say(f"与 {first.label} 是同一张表", f"is the same sheet as {first.label.strip(',')}")
    fix = (
        say("隐藏的没有读", "the hidden one was not read") if warning else say("留一个", "keep one")
    )
    return Problem(source.label, wrong, fix, warning=warning)


def best(found: Sequence[Source], sheet: Sheet) -> Source:
    """The source that bears a sheet's name, or its headings; else the first."""
    named = [source for source in found if source.name.strip().lower() in (sheet.name, *sheet.zh)]
    if named or len(found) == 1:
        return (named or found)[0]
    fitting = [source for source in found if recognized([sheet], source.head())]
    return (fitting or found)[0]

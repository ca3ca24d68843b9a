"""The row of headings: found below a title, and its columns recognized. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence

from agent.common.language import say
from collector.roster.problems import Problem
from collector.roster.sheets.layout import Column, Sheet
from collector.roster.sheets.sheetxml import Row
from collector.roster.sheets.texts import is_destroyed, plain, tidy

#: Headings are looked for in so many rows: ministry sheets have a title and a line of units above.
HEAD_ROWS = 10
_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]|[\s*_:\-/]")


def names(column: Column) -> Iterable[str]:
    """Every heading that a column may have."""
    return (column.name, column.zh, *column.also)


def comparable(heading: str) -> str:
    """A heading in comparable form: 合同带宽（Mbps） as 合同带宽, Contract Mbps as contractmbps."""
    text = plain(heading).casefold()
    return _BRACKETS.sub("", text) or text


def row_of_headings(sheet: Sheet, head: Sequence[Row]) -> int:
    """The place of the headings among the first rows: where most columns are recognized."""
    counts = [len(_found(sheet, cells)) for _, cells in head]
    return counts.index(max(counts)) if counts and max(counts) > 1 else 0


def recognized(sheets: Iterable[Sheet], head: Sequence[Row]) -> list[Sheet]:
    """The sheets whose required headings are all in one of the rows; the fullest matches only."""
    fits = {}
    for sheet in sheets:
        required = {column.name for column in sheet.columns if column.required}
        rows = [found for _, cells in head if required <= (found := _found(sheet, cells))]
        if rows:
            fits[sheet.name] = (max(map(len, rows)), sheet)
    most = max((count for count, _ in fits.values()), default=0)
    return [sheet for count, sheet in fits.values() if count == most]


def _found(sheet: Sheet, cells: Sequence[str]) -> set[str]:
    known = {comparable(name): column.name for column in sheet.columns for name in names(column)}
    return {known[text] for cell in cells if (text := comparable(tidy(cell))) in known}


def columns_of(
    sheet: Sheet, file: str, row: int, headings: Sequence[str]
) -> tuple[dict[int, Column], list[Problem]]:
    """The columns by their places, and what is wrong with the headings."""
    lost = next(filter(is_destroyed, headings), "")
    if lost:
        return {}, [_lost(file, row, lost)]
    known = {comparable(name): column for column in sheet.columns for name in names(column)}
    columns: dict[int, Column] = {}
    problems = []
    for at, heading in enumerate(headings):
        column = known.get(comparable(heading))
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


def titles(file: str, above: Sequence[Row]) -> Iterator[Problem]:
    """Rows above the headings that are more than a title and a unit: they may be data."""
    for number, cells in above:
        if len({cell for cell in map(tidy, cells) if cell}) > 2:
            wrong = say("在列名之上，没有读", "stands above the headings and was not read")
            fix = say("数据放到列名下面", "put data below the headings")
            yield Problem(file, wrong, fix, number, warning=True)


def _lost(file: str, row: int, heading: str) -> Problem:
    wrong = say(
        "是存成别的编码（ANSI）时丢了的字，整个文件都不能用",
        "was lost when the file was saved in another encoding (ANSI)",
    )
    fix = say("从原表另存为 .xlsx 或「CSV UTF-8」", "save the original as .xlsx or as 'CSV UTF-8'")
    return Problem(file, wrong, fix, row, value=heading)


def _unknown(file: str, row: int, heading: str, sheet: Sheet) -> Problem:
    known = [name for column in sheet.columns for name in names(column)]
    near = difflib.get_close_matches(heading, known, 1, cutoff=0.5)
    fix = say(f"是不是「{near[0]}」？", f"did you mean {near[0]!r}?") if near else ""
    wrong = say("没有这一列，已忽略", "is not a known column; ignored")
    return Problem(file, wrong, fix, row, heading, warning=True)


def _missing(file: str, row: int, column: Column) -> Problem:
    shown = say(f"「{column.zh}」（或 {column.name}）", f"{column.name!r} (or {column.zh})")
    wrong = say("缺少这一列", "this column is missing")
    fix = say(f"第 {row} 行加上列名{shown}", f"add the heading {shown} in row {row}")
    return Problem(file, wrong, fix, row, column.heading)

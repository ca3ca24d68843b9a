"""Which state of the register an argument names: a day, an import's number, or sheets."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

from agent.common.calendar import CITY_TIME, start_of
from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.commands.tables import print_problems
from collector.roster.book import RegisterBook
from collector.roster.problems import UnfitError
from collector.roster.rows import Rows
from collector.roster.sheets import errors, read_folder
from collector.roster.sheets.dates import parse_date

_NUMBER = re.compile("#?([0-9]{1,7})")
_DAY = dt.timedelta(days=1)


def number_of(book: RegisterBook, text: str) -> int:
    """The import that a number or day names; of a day, the one in force when it ended.

    Raises:
        RefusedError: it is neither, there is no such import, or nothing was imported by that day.
    """
    found = _NUMBER.fullmatch(text)
    if found:
        return int(found[1])
    try:
        day = parse_date(text)
    except UnfitError as error:
        wrong = say(f"「{text}」既不是导入的次数也不是日期", f"{text!r} is no import and no day")
        raise RefusedError(say(f"{wrong}：{error.fix}", f"{wrong}: {error.fix}")) from error
    end = start_of(day + _DAY)
    numbers = [made.number for made in book.history() if made.at < end]
    if not numbers:
        raise RefusedError(_too_early(book, day))
    return numbers[-1]


def _too_early(book: RegisterBook, day: dt.date) -> str:
    first = next(iter(book.history()), None)
    if first is None:
        book.rows()  # says that there is no register
    since = first.at.astimezone(CITY_TIME).strftime("%Y-%m-%d") if first else ""
    return say(
        f"{day} 还没有导入过台账，第一次是 {since}",
        f"nothing had been imported by {day}; the first import was on {since}",
    )


def rows_of(book: RegisterBook, text: str) -> tuple[Rows, str]:
    """The rows that an argument names, and what to call them.

    Raises:
        RefusedError: it names nothing, or sheets with errors, which are shown.
    """
    path = Path(text)
    if not _NUMBER.fullmatch(text) and path.exists():
        return _of_sheets(path), text
    number = number_of(book, text)
    return book.rows_of(number), say(f"第 {number} 次导入", f"import {number}")


def _of_sheets(path: Path) -> Rows:
    rows, problems = read_folder(path)
    if errors(problems):
        print_problems(errors(problems))
        raise RefusedError(say(f"{path}: 有错误，不能比较", f"{path}: has errors"))
    return rows

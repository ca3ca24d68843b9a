"""Reads a CSV file into rows of cells; reports files that are not CSV."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from agent.common.language import say
from collector.roster.problems import Problem
from collector.roster.sheets import encoding, package

MAX_BYTES = 64 * 1024 * 1024
_SEPARATOR = re.compile('\ufeff?"?sep=(.)"?[,;\t]*\r?\n', re.IGNORECASE)

Rows = list[tuple[int, list[str]]]


def read(path: Path) -> tuple[Rows, list[Problem]]:
    """The rows that are not blank, as (spreadsheet row number from 1, cells), and problems.

    After a syntax error only the rows before it are returned. Never raises for a file's content.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            return [], [_too_large(path)]
        data = path.read_bytes()
    except FileNotFoundError:
        fix = say("核对路径和文件名", "check the path and the name")
        return [], [Problem(path.name, say("没有这个文件", "does not exist"), fix)]
    except OSError as error:
        wrong = say(f"读不到：{error.strerror}", f"cannot be read: {error.strerror}")
        return [], [Problem(path.name, wrong, say("看文件权限", "check the file's permissions"))]
    text, problem = _decode(path.name, data)
    if problem:
        return [], [problem]
    return _rows(path.name, text)


def _too_large(path: Path) -> Problem:
    limit = MAX_BYTES // 1024 // 1024
    return Problem(
        path.name,
        say(f"超过 {limit} MB", f"is larger than {limit} MB"),
        say("看是不是拿错了文件", "check that it is the right file"),
    )


def _decode(file: str, data: bytes) -> tuple[str, Problem | None]:
    save = say(
        "在 Excel 里另存为「CSV UTF-8（逗号分隔）」",
        "save as 'CSV UTF-8 (comma delimited)' in Excel",
    )
    if not data.strip():
        return "", _empty(file)
    if data.startswith(package.ZIP):
        fix = say("把扩展名改成 .xlsx", "name it .xlsx")
        return "", Problem(file, say("其实是 Excel 工作簿", "is an Excel workbook"), fix)
    disguise = package.foreign(data)
    if disguise:
        return "", Problem(file, disguise.wrong, disguise.fix)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "", Problem(file, say("是 UTF-16 编码", "is encoded in UTF-16"), save)
    if b"\0" in data:
        row = data[: data.index(b"\0")].count(b"\n") + 1
        wrong = say("里有 NUL 字节，文件已损坏", "holds a NUL byte: it is damaged")
        return "", Problem(file, wrong, save, row)
    return encoding.decode(file, data, save)


def _empty(file: str) -> Problem:
    fix = say("第一行写列名；用 roster template 取模板", "headings first; see roster template")
    return Problem(file, say("是空文件", "is empty"), fix)


def _rows(file: str, text: str) -> tuple[Rows, list[Problem]]:
    rows: Rows = []
    number = 0
    try:
        for number, cells in _records(text):
            if any(cell.strip() for cell in cells):
                rows.append((number, cells))
    except csv.Error as error:
        return rows, [_form(file, number + 1, error)]
    return rows, [] if rows else [_empty(file)]


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """All records with their row numbers, blank ones too: each is a row of the spreadsheet.

    A first line such as `sep=,` says the delimiter, and no spreadsheet shows it as a row.
    """
    found = _SEPARATOR.match(text)
    delimiter = found[1] if found else _delimiter(text)
    stream = io.StringIO(text[found.end() :] if found else text, newline="")
    return enumerate(csv.reader(stream, delimiter=delimiter, strict=True), start=1)


def _delimiter(text: str) -> str:
    """The most frequent one of the first lines; some versions of Excel write semicolons or tabs.

    A title above the headings may hold none, or another one.
    """
    lines = (line for line in text.splitlines() if line.strip(" ,;\t\ufeff"))
    first = list(itertools.islice(lines, 5))
    return max(",;\t", key=lambda mark: max((line.count(mark) for line in first), default=0))


def _form(file: str, row: int, error: csv.Error) -> Problem:
    if "field larger" in str(error) or "end of data" in str(error):
        wrong = say("从这一行起有一个引号没有配对", "from this row on a quote is left open")
    else:
        wrong = say(f"引号用错了（{error}）", f"has a wrong quote ({error})")
    fix = say("改正引号；单元格里的引号要写两个", 'fix it; a quote in a cell is written as ""')
    return Problem(file, wrong, fix, row)

"""Turns rows of cells into records of values, by the sheet's columns."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.common.language import say
from collector.roster.problems import Problem, UnfitError
from collector.roster.sheets import headings
from collector.roster.sheets.kinds import UncountedError
from collector.roster.sheets.layout import Column, Sheet
from collector.roster.sheets.sheetxml import FORMULA, NO_VALUE, Odd, Row
from collector.roster.sheets.texts import is_error, says_nothing, tidy
from collector.roster.sheets.values import PARSERS

#: A sheet's most rows that hold anything: ten times those of the largest city's largest sheet.
MAX_ROWS = 400_000
_DATES = {"date", "dates", "text"}
#: Where a dash or 无 stands for an empty cell.
_MAY_SAY_NOTHING = {
    "date", "dates", "seats", "count", "latitude", "longitude", "school", "name", "rooms",
    "networks",
}  # fmt: skip
#: What stands below a table: sums and signatures.
_FOOT = re.compile(
    r"(?:合计|总计|小计|共计|填表|填报|制表|审核|负责人|单位盖章|注|说明|备注)(?:$|[人单日:：（(、\s]).*"
)


@dataclass(slots=True)
class Table:
    """A sheet as read: its records, and the headings that this file has."""

    sheet: Sheet
    file: str
    headings: Mapping[str, str] = field(default_factory=dict)  # column name -> heading
    records: list[Record] = field(default_factory=list)
    whole: bool = True  # False: rows are missing, so references to it cannot be checked
    name: str = ""  # of the sheet, as its keeper named it
    headings_row: int = 0
    columns: Mapping[int, Column] = field(default_factory=dict)  # by their places

    @property
    def title(self) -> str:
        """How messages about other sheets name this one."""
        return self.name or self.sheet.title


@dataclass(slots=True)
class Record:
    """One row. A column whose cell could not be read is in `bad`; its text stays in `text`."""

    table: Table
    row: int
    text: dict[str, str]  # column name -> tidied text
    values: dict[str, Any]  # column name -> value; empty cells are not in it
    bad: set[str] = field(default_factory=set)

    def get(self, name: str) -> Any:
        """The value, or None if the cell is empty or bad."""
        return self.values.get(name)

    def key(self, *names: str) -> tuple[str, ...]:
        """What other rows refer to; a bad cell counts by its text, so that it is reported once."""
        return tuple(str(self.values.get(name, self.text.get(name, ""))) for name in names)

    def problem(
        self, name: str, wrong: str, fix: str, *, value: str | None = None, warning: bool = False
    ) -> Problem:
        """A finding about one of this row's cells."""
        heading = self.table.headings.get(name) or self.table.sheet.column(name).heading
        shown = self.text.get(name, "") if value is None else value
        return Problem(self.table.file, wrong, fix, self.row, heading, shown, warning)


def parse(sheet: Sheet, file: str, rows: Iterable[Row], name: str = "") -> Iterator[Any]:
    """Yield every `Problem`, and the `Table` last."""
    rows = iter(rows)
    head = list(itertools.islice(rows, headings.HEAD_ROWS))
    at = headings.row_of_headings(sheet, head)
    table = Table(sheet, file, name=name)
    if head:
        yield from headings.titles(file, head[:at])
        yield from _read(table, head[at], itertools.chain(head[at + 1 :], rows))
    yield table


def _read(table: Table, first: Row, rows: Iterable[Row]) -> Iterator[Problem]:
    number, cells = first
    texts = [tidy(cell) for cell in cells]
    columns, found = headings.columns_of(table.sheet, table.file, number, texts)
    yield from found
    table.headings = {column.name: texts[at] for at, column in columns.items()}
    table.headings_row, table.columns = number, columns
    if any(not problem.warning for problem in found):
        # Without headings the cells mean nothing: report that once, not once a row.
        table.whole = False
        return
    reader = _Reader(table, len(cells))
    for count, (row, content) in enumerate(rows):
        if count == MAX_ROWS:
            table.whole = False
            wrong = say(f"超过 {MAX_ROWS} 行，后面的没有读", f"has more than {MAX_ROWS} rows")
            yield Problem(table.file, wrong, say("按区县分开", "split it by district"), row)
            return
        yield from reader.record(row, content)


class _Reader:
    """Reads the rows below a sheet's headings."""

    def __init__(self, table: Table, width: int) -> None:
        self._table, self._width = table, width
        self._columns = list(table.columns.items())
        self._kind = next((at for at, c in self._columns if c.type == "kind"), None)
        self._required = [at for at, column in self._columns if column.required]

    def record(self, row: int, cells: Sequence[str]) -> Iterator[Problem]:
        """Append the row's record to the table, and yield what is wrong with it."""
        texts = {column.name: tidy(cells[at]) for at, column in self._columns if at < len(cells)}
        record = Record(self._table, row, texts, {})
        if self._is_foot(cells):
            wrong = say("是表尾的合计或签名，没有读", "is a sum or signature; it was not read")
            yield Problem(self._table.file, wrong, "", row, warning=True)
            return
        uncounted = self._uncounted(record)
        if uncounted:
            yield uncounted
            return
        self._table.records.append(record)
        yield from self._extra(row, cells)
        for at, column in self._columns:
            yield from _cell(record, column, cells[at] if at < len(cells) else "")

    def _is_foot(self, cells: Sequence[str]) -> bool:
        """A required cell is empty, and the first filled one says sum, note or signature."""
        filled = [bool(at < len(cells) and cells[at].strip()) for at in self._required]
        if all(filled):
            return False
        first = next((text for text in map(tidy, cells) if text), "")
        return _FOOT.match(first) is not None

    def _uncounted(self, record: Record) -> Problem | None:
        text = record.text.get("kind", "")
        if self._kind is None or not text or is_error(text):
            return None
        try:
            PARSERS["kind"](text)
        except UncountedError as error:
            return record.problem("kind", error.wrong, error.fix, warning=True)
        except UnfitError:
            pass
        return None

    def _extra(self, row: int, cells: Sequence[str]) -> Iterator[Problem]:
        extra = next(filter(None, map(tidy, cells[self._width :])), "")
        if extra:
            wrong = say("单元格比列名多", "has more cells than there are headings")
            fix = say("看是否有逗号没有加引号", "check for a comma without quotes")
            yield Problem(self._table.file, wrong, fix, row, value=extra)


def values(record: Record) -> Iterator[Problem]:
    """Turn the texts of a record that was made from something else than a sheet into values."""
    for column in record.table.sheet.columns:
        yield from _cell(record, column, "")


def _cell(record: Record, column: Column, cell: str) -> Iterator[Problem]:
    text = record.text.get(column.name, "")
    if isinstance(cell, Odd) or is_error(text):
        yield from _odd(record, column, cell, text)
    if column.name in record.bad:
        return
    if text and not column.required and column.type in _MAY_SAY_NOTHING and says_nothing(text):
        text = record.text[column.name] = ""
    if text:
        yield from _value(record, column, text)
    elif column.required:
        record.bad.add(column.name)
        yield record.problem(
            column.name, say("是空的", "is empty"), say("必填", "it must be filled")
        )


def _value(record: Record, column: Column, text: str) -> Iterator[Problem]:
    try:
        record.values[column.name] = PARSERS[column.type](text)
    except UnfitError as error:
        record.bad.add(column.name)
        yield record.problem(column.name, error.wrong, error.fix)


def _odd(record: Record, column: Column, cell: str, text: str) -> Iterator[Problem]:
    """What a spreadsheet made of a cell: formulas, error values, dates where none belong."""
    kind = cell.kind if isinstance(cell, Odd) else ""
    if is_error(text):
        wrong = say("是表格软件的错误值", "is a spreadsheet's error value")
        fix = say("改好公式；#### 的把列拉宽再存", "correct the formula; widen a column of ####")
    elif kind == NO_VALUE:
        wrong = say("是公式，文件里没有它的值", "is a formula without a saved value")
        fix = say(
            "用 Excel 或 WPS 打开后保存，或复制后「粘贴为数值」",
            "open and save it in Excel, or paste as values",
        )
    elif isinstance(cell, Odd) and cell.date and column.type not in _DATES:
        wrong = say("被表格软件改成了日期", "was made a date by the spreadsheet")
        guess = re.sub(r"^\d{4}-0?(\d+)-0?(\d+).*$", r"\1-\2", text)
        fix = say(
            f"把该列设为「文本」再重填，原来多半是 {guess}",
            f"format the column as text and enter it again, probably {guess}",
        )
    else:
        if kind == FORMULA:
            wrong = say("是公式，读了保存的值", "is a formula; its saved value was read")
            yield record.problem(column.name, wrong, "", value="", warning=True)
        return
    record.bad.add(column.name)
    yield record.problem(column.name, wrong, fix)

"""Reads one sheet of a workbook, row by row: texts, and what stands behind them.

openpyxl's own read-only rows tell neither a formula from a value nor what is merged or hidden, and
take 66 s and 112 MB for 1,048,576 rows of five cells, where these take 28 s and 31 MB: no more than
the row, beside the table of texts. python-calamine takes 5 s, but 458 MB, and knows no formulas.

Pure, but for the stream that it is given. The format is that of ECMA-376 part 1, section 18.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final
from xml.parsers import expat

from agent.common.language import say
from collector.roster.problems import UnfitError

MAX_COLUMNS = 1024
_CHUNK = 64 * 1024
_MAX_PIECES = 100  # of a text, some 8,000 characters each: a cell holds 32,767 at most
_SURE_DIGITS = 1e15  # a spreadsheet's number holds 15 digits; a longer one has lost some
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile("([A-Z]{1,3})([0-9]{1,7})")

#: What stands behind a cell's text.
FORMULA: Final = "formula"  # the value is the one that was saved with the formula
NO_VALUE: Final = "no value"  # a formula without a saved value
DATE: Final = "date"


class Odd(str):
    """A cell's text that is not simply what somebody typed."""

    __slots__ = ("date", "kind")

    def __new__(cls, text: str, kind: str, *, date: bool = False) -> Odd:
        made = super().__new__(cls, text)
        made.kind, made.date = kind, date
        return made

    kind: str
    date: bool


@dataclass(frozen=True, slots=True)
class Styles:
    """What numbers mean, by the number of a cell's style."""

    texts: Sequence[str] = ()  # the table of shared texts
    dates: frozenset[int] = frozenset()
    zeros: Mapping[int, int] = field(default_factory=dict)  # formats such as 0000: their width
    epoch: Any = None


@dataclass(slots=True)
class Marks:
    """What a sheet says of its cells: complete once all rows were read. Columns count from 0."""

    merged: list[str] = field(default_factory=list)  # ranges such as A2:A6
    hidden_columns: set[int] = field(default_factory=set)
    hidden_rows: set[int] = field(default_factory=set)


Row = tuple[int, list[str]]


def rows(stream: IO[bytes], styles: Styles, marks: Marks) -> Iterator[Row]:
    """The rows that hold anything, as (row number from 1, texts); fills in `marks`.

    Raises:
        ExpatError, ValueError, IndexError: the sheet is damaged.
        UnfitError: it is too wide.
    """
    reader = _Reader(styles, marks)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    while data := stream.read(_CHUNK):
        parser.Parse(data)
        yield from reader.taken()
    parser.Parse(b"", True)
    yield from reader.taken()


def texts(stream: IO[bytes]) -> list[str]:
    """The workbook's table of texts.

    Raises:
        ExpatError: it is damaged.
    """
    found: list[str] = []
    parts: list[str] = []
    inside: list[str] = []  # the elements around, from the entry on

    def start(name: str, _: object) -> None:
        inside.append(name.rpartition(" ")[2])
        if inside[-1] == "si":
            parts.clear()

    def characters(data: str) -> None:
        if inside[-1] == "t" and "rPh" not in inside and len(parts) < _MAX_PIECES:
            parts.append(data)

    def end(_: str) -> None:
        if inside.pop() == "si":
            found.append(_unescaped("".join(parts)))

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = characters
    parser.ParseFile(stream)
    return found


class _Reader:
    """Collects rows while the parser calls it."""

    def __init__(self, styles: Styles, marks: Marks) -> None:
        self._styles, self._marks = styles, marks
        self._done: list[Row] = []
        self._row, self._cells = 0, dict[int, str]()
        self._column, self._type, self._style = -1, "", 0
        self._text: list[str] | None = None  # None: between texts
        self._read: list[str] | None = None  # the cell's text; None: it has none
        self._formula, self._phonetic, self._hidden = False, False, False

    def taken(self) -> list[Row]:
        """The rows that are complete; each is given once."""
        done, self._done = self._done, []
        return done

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        if tag == "c":
            self._begin_cell(attributes)
        elif tag in ("v", "t"):
            self._text = None if self._phonetic else []
        elif tag == "f":
            self._formula = True
        elif tag == "row":
            self._begin_row(attributes)
        elif tag == "rPh":  # how a text is pronounced
            self._phonetic = True
        elif tag == "mergeCell":
            self._marks.merged.append(attributes.get("ref", ""))
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            first, last = int(attributes["min"]), int(attributes["max"])
            self._marks.hidden_columns.update(range(first - 1, min(last, MAX_COLUMNS)))

    def characters(self, data: str) -> None:
        if self._text is not None and len(self._text) < _MAX_PIECES:
            self._text.append(data)

    def end(self, name: str) -> None:
        tag = name.rpartition(" ")[2]
        if tag in ("v", "t"):
            if self._text is not None and len(self._read or ()) < _MAX_PIECES:
                self._read = [*(self._read or ()), *self._text]
            self._text = None
        elif tag == "c":
            self._end_cell()
        elif tag == "row" and self._cells:
            self._end_row()
        elif tag == "rPh":
            self._phonetic = False

    def _begin_row(self, attributes: Mapping[str, str]) -> None:
        self._row = int(attributes.get("r") or self._row + 1)
        self._cells, self._column = {}, -1
        self._hidden = attributes.get("hidden") in ("1", "true")

    def _end_row(self) -> None:
        width = max(self._cells) + 1
        self._done.append((self._row, [self._cells.get(at, "") for at in range(width)]))
        if self._hidden:
            self._marks.hidden_rows.add(self._row)

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        reference = attributes.get("r")
        self._column = column_of(reference) if reference else self._column + 1
        self._type = attributes.get("t", "n")
        self._style = int(attributes.get("s", "0"))
        self._read, self._formula = None, False

    def _end_cell(self) -> None:
        text = "".join(self._read or ())
        if self._type == "n" and not text:
            shown: str = Odd("", NO_VALUE) if self._formula else ""
        else:
            shown = self._value(text)
            if self._formula and shown:
                shown = Odd(shown, FORMULA, date=isinstance(shown, Odd))
        if not shown.strip() and not isinstance(shown, Odd):
            return
        if self._column >= MAX_COLUMNS:
            raise UnfitError(
                say(
                    f"第 {self._row} 行在第 {MAX_COLUMNS} 列以后还有内容",
                    f"has cells beyond column {MAX_COLUMNS} in row {self._row}",
                ),
                say("删去右边多余的列", "delete the columns on the right"),
            )
        self._cells[self._column] = shown

    def _value(self, text: str) -> str:
        if self._type == "s":
            return self._styles.texts[int(text)]
        if self._type == "b":
            return "TRUE" if text == "1" else "FALSE"
        if self._type == "d":
            return Odd(text.replace("T", " "), DATE, date=True)
        if self._type != "n":
            return _unescaped(text)
        if self._style in self._styles.dates:
            return _date(float(text), self._styles.epoch)
        return _number(text).zfill(self._styles.zeros.get(self._style, 0))


def column_of(reference: str) -> int:
    """The column, from 0, of a reference such as AB12.

    Raises:
        ValueError: it is no reference.
    """
    found = _REFERENCE.fullmatch(reference)
    if not found:
        raise ValueError(f"no cell: {reference}")
    number = 0
    for letter in found[1]:
        number = number * 26 + ord(letter) - 64
    return number - 1


def corners(reference: str) -> tuple[range, range]:
    """The rows, and the columns from 0, of a range such as A2:B6.

    Raises:
        ValueError: it is no range.
    """
    first, _, last = reference.partition(":")
    last = last or first
    top, bottom = (int(cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) for cell in (first, last))
    return range(top, bottom + 1), range(column_of(first), column_of(last) + 1)


def _unescaped(text: str) -> str:
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _number(text: str) -> str:
    """A number as a person would type it: 9963020001, 36.6102."""
    if text.isdecimal() and len(text) <= 15:
        return text.lstrip("0") or "0"
    value = float(text)
    if abs(value) >= _SURE_DIGITS:
        return f"{value:.5E}"
    return str(int(value)) if value.is_integer() else repr(value)


def _date(value: float, epoch: Any) -> str:
    """A day as 2026-09-01; with a time of day as that, which no column takes."""
    from openpyxl.utils.datetime import from_excel  # here, as only workbooks need its 20 MB

    try:
        moment = from_excel(value, epoch) if epoch else from_excel(value)
    except (ValueError, OverflowError):
        return Odd(repr(value), DATE, date=True)
    return Odd(str(moment).removesuffix(" 00:00:00"), DATE, date=True)

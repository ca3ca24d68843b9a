"""Rows as CSV that any program opens, and that reads back to exactly the same rows. Pure.

UTF-8 with BOM, comma, CRLF; a column for each field, written by the field's type. A cell that a
spreadsheet would take for a formula begins with an apostrophe, which reading takes away again.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from enum import Enum
from functools import cache
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from agent.common import decoding
from agent.common.calendar import CITY_TIME

_Row = TypeVar("_Row")
_BOM = b"\xef\xbb\xbf"
_RISKY = ("=", "+", "-", "@", "\t", "\r", "'")
_QUOTED = re.compile(r'[",\r\n]')
_LINE = re.compile(r"[^\n]*\n|[^\n]+")  # not as str.splitlines, which knows other ends
_S = 10**9
#: The field that holds a moment in ns since 1970 UTC, in every row that has one.
_MOMENT = "time"


class TableError(ValueError):
    """A table cannot be read: a newer version made it, or another program."""


class Cell(NamedTuple):
    """How a field is written and read."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]


def write(kind: type[_Row], rows: Iterable[_Row], *, ordered: bool = True) -> bytes:
    """The rows as CSV; unordered ones are sorted by their cells, so that their order is no matter.

    `kind` is a dataclass.
    """
    cells = _cells(kind)
    lines = [
        tuple([cell.write(getattr(row, name)) for name, cell in cells.items()]) for row in rows
    ]
    return text(list(cells), lines if ordered else sorted(lines))


def text(heading: Sequence[str], lines: Iterable[Sequence[str]]) -> bytes:
    """Cells that are quoted already, as a file."""
    return _BOM + "".join(f"{','.join(line)}\r\n" for line in (heading, *lines)).encode()


def read(kind: type[_Row], data: bytes) -> list[_Row]:
    """The rows that `write` wrote; fields that the file lacks get their defaults.

    Raises:
        TableError: a column that is not known here, or a cell that cannot be read.
    """
    cells = _cells(kind)
    lines = parsed(data)
    heading = next(lines, [])
    unknown = [name for name in heading if name not in cells]
    if unknown or not heading:
        raise TableError(f"unknown columns: {', '.join(unknown)}")
    reads = [(name, cells[name].read) for name in heading]
    same: dict[str, str] = {}  # a city's rows repeat few texts: each is kept once
    try:
        return [
            kind(
                **{
                    name: get(same.setdefault(cell, cell))
                    for (name, get), cell in zip(reads, line, strict=True)
                }
            )
            for line in lines
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise TableError(str(error)) from error


def parsed(data: bytes) -> Iterator[list[str]]:
    """The file's lines as cells, the heading first.

    Raises:
        TableError: it is no CSV of ours.
    """
    try:
        lines = (line[0] for line in _LINE.finditer(data.decode("utf-8-sig")))
        found = csv.reader(lines, strict=True)
        yield next(found, [])
        yield from found
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(str(error)) from error


def selected(data: bytes, names: Sequence[str] | None = None) -> list[dict[str, str]]:
    """The rows as cells by column: those of `names` where they are given, in the file's order.

    Raises:
        TableError: it is no CSV of ours.
    """
    heading, *lines = parsed(data)
    wanted = set(heading if names is None else names)
    return [
        {name: cell for name, cell in zip(heading, line, strict=False) if name in wanted}
        for line in lines
    ]


def quoted(value: str) -> str:
    """Any text as a cell: no formula, quoted where needed."""
    if value.startswith(_RISKY):
        value = f"'{value}"
    return _in_quotes(value)


def unquoted(cell: str) -> str:
    """The text of a cell as `csv` reads it."""
    return cell[1:] if cell[:1] == "'" else cell


_KNOWN: dict[type[Any], dict[str, Cell]] = {}


def _cells(kind: type[Any]) -> dict[str, Cell]:
    if kind not in _KNOWN:
        hints = get_type_hints(kind)
        _KNOWN[kind] = {item.name: _cell(item.name, hints[item.name]) for item in fields(kind)}
    return _KNOWN[kind]


def _cell(name: str, hint: Any) -> Cell:
    if get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
        inner = [one for one in get_args(hint) if one is not type(None)]
        return _optional(_cell(name, inner[0] if len(inner) == 1 else Union[tuple(inner)]))  # noqa: UP007
    if name == _MOMENT and hint is int:
        return Cell(_moment, _of_moment)
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if get_origin(hint) is Literal:
        return _SIMPLE[str]
    if isinstance(hint, type) and issubclass(hint, Enum) and issubclass(hint, str):
        return Cell(lambda value: str(value.value), hint)
    return _json(hint)


def _optional(cell: Cell) -> Cell:
    """None is an empty cell; an empty text is then an apostrophe."""
    return Cell(
        lambda value: "" if value is None else cell.write(value) or "'",
        lambda found: None if found == "" else cell.read(found),
    )


def _json(hint: Any) -> Cell:
    """Whatever has no simpler form; cells that recur are read once."""

    @cache
    def known(found: str) -> Any:
        return decoding.decode(found, hint)

    def written(value: Any) -> str:
        return _in_quotes(msgspec.json.encode(value, order="deterministic").decode())

    return Cell(written, known)


def _in_quotes(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if _QUOTED.search(value) else value


def _bool(found: str) -> bool:
    return {"true": True, "false": False}[found]


def _moment(value: int) -> str:
    """As `2026-12-31 12:30:00.000123456`, the city's time."""
    seconds, rest = divmod(value, _S)
    local = dt.datetime.fromtimestamp(seconds, CITY_TIME)
    return f"{local:%Y-%m-%d %H:%M:%S}.{rest:09d}"


def _of_moment(found: str) -> int:
    whole, _, rest = found.partition(".")
    local = dt.datetime.fromisoformat(whole).replace(tzinfo=CITY_TIME)
    return int(local.timestamp()) * _S + int(rest)


_SIMPLE: dict[Any, Cell] = {
    str: Cell(quoted, unquoted),
    bool: Cell(lambda value: "true" if value else "false", _bool),
    int: Cell(lambda value: str(int(value)), int),
    float: Cell(lambda value: repr(float(value)), float),
    dt.date: Cell(lambda value: str(value.isoformat()), cache(dt.date.fromisoformat)),
    dt.datetime: Cell(lambda value: str(value.isoformat()), dt.datetime.fromisoformat),
}

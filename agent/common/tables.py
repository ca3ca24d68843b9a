"""Tables for a terminal, where a Chinese character is two columns wide."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterable, Sequence

from agent.common.calendar import CITY_TIME
from agent.common.language import say
from agent.common.printable import shown

NONE = "—"  # a cell without a value
_UNITS = ("B", "kB", "MB", "GB", "TB")


def width(text: str) -> int:
    """Columns that `text` takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):  # stands on or joins its neighbour
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def lines(rows: Iterable[Sequence[str]]) -> list[str]:
    """The rows as lines, their columns aligned; a cell is one line, cleaned."""
    listed = [tuple(map(shown, row)) for row in rows]
    columns = max((len(row) for row in listed), default=0)
    widths = [
        max((width(row[i]) for row in listed if i < len(row)), default=0) for i in range(columns)
    ]
    return [
        "  ".join(_pad(cell, w) for cell, w in zip(row, widths, strict=False)).rstrip()
        for row in listed
    ]


def fitted(rows: Iterable[Sequence[str]], columns: int) -> list[str]:
    """The same, for a terminal: columns that do not fit stand below each row, with their headings.

    The first row holds the headings.
    """
    head, *body = rows
    for kept in range(len(head), 0, -1):
        table = lines(row[:kept] for row in (head, *body))
        if kept == 1 or max(map(width, table)) <= columns:
            break
    fitting = [table[0]]
    for line, row in zip(table[1:], body, strict=True):
        rest = [
            f"{name}: {shown(cell)}"
            for name, cell in zip(head[kept:], row[kept:], strict=True)
            if cell != NONE
        ]
        fitting += [line, f"    {', '.join(rest)}"] if rest else [line]
    return fitting


def _pad(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def size(count: int | None) -> str:
    """Bytes, in the largest unit of 1000 that leaves a number of at least 1."""
    if count is None:
        return NONE
    value, unit = float(count), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return (
        f"{value:.3g} {_UNITS[unit]}" if value < 1000 and unit else f"{int(value)} {_UNITS[unit]}"
    )


def moment(ms: int | None) -> str:
    """A time in ms since 1970 UTC, as the city's clocks show it."""
    if ms is None:
        return NONE
    import datetime as dt

    return dt.datetime.fromtimestamp(ms / 1000, CITY_TIME).strftime("%Y-%m-%d %H:%M:%S")


def zoned(ms: int | None) -> str:
    """The same with its zone, for a PC whose own clock may show another one: `… 14:02:11 +08`."""
    return NONE if ms is None else f"{moment(ms)} +08"


def span(seconds: float) -> str:
    """A length of time in words."""
    for unit, zh, en in ((86400, "天", "d"), (3600, "小时", "h"), (60, "分", "min")):
        if seconds >= unit:
            return f"{seconds / unit:.1f} {say(zh, en)}"
    return f"{seconds:.1f} {say('秒', 's')}"


def now_ms() -> int:
    """The PC's own clock, ms since 1970 UTC."""
    return time.time_ns() // 1_000_000

"""The report's tables as plain cells, for every format that has sheets. Pure.

Rows are made while they are read, in the language in force. Shares are shown values in percent
(79.96% is 79.9), rates are Mbit/s rounded down to two decimals, absent is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.common.vocabulary.verdicts import VERDICTS
from agent.common.vocabulary.words import Words
from collector.compliance.model import Verdict

Cell = str | int | float | None
Kind = Literal["code", "text", "long", "count", "share", "rate", "day"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what is in it, and how wide it is in characters of half a Chinese one."""

    heading: Words
    kind: Kind
    width: int


@dataclass(frozen=True, slots=True)
class Table:
    """One table; `key` names its file, `rows` may be read again and again."""

    key: str
    title: Words
    columns: Sequence[Column]
    rows: Callable[[], Iterator[Sequence[Cell]]]


def picked(table: Table, *places: int) -> Table:
    """The same table with some of its columns, for a narrow page."""
    return Table(
        table.key,
        table.title,
        [table.columns[place] for place in places],
        lambda: ([row[place] for place in places] for row in table.rows()),
    )


def column(zh: str, en: str, kind: Kind, width: int) -> Column:
    """A column with its heading in both languages."""
    return Column(Words(zh, en), kind, width)


VERDICT_COUNTS = tuple(Column(VERDICTS[verdict], "count", 10) for verdict in Verdict)
SCHOOL = (
    column("责任单位", "responsible unit", "text", 14),
    column("学校标识码", "school code", "code", 13),
    column("学校", "school", "text", 26),
)


def rate(mbps: float | None) -> float | None:
    """A rate rounded down to two decimals, so that none reaches a limit by rounding."""
    return None if mbps is None else int(mbps * 100 + 1e-6) / 100

"""What became of the units between two figures: verdicts that changed, units that left. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from agent.common.calendar import CITY_TIME
from collector.archive.results import VerdictRow
from collector.archive.summary import FrozenYear
from collector.roster.register import Inspection


@dataclass(frozen=True, slots=True)
class Change:
    """A unit whose verdict changed; empty: it is not in that figure."""

    indicator: str
    school: str
    school_name: str
    unit: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Left:
    """A unit that is no more in the register, with its last verdict and where that stands."""

    indicator: str
    school: str
    school_name: str
    unit: str
    verdict: str
    year: int
    revision: int


def between(before: Iterable[VerdictRow], after: Iterable[VerdictRow]) -> list[Change]:
    """The verdicts that differ, in the order of the earlier figure; new units come last."""
    first = {row.key: row for row in before}
    second = {row.key: row for row in after}
    pairs = ((key, first.get(key), second.get(key)) for key in {**first, **second})
    return [
        Change(key[0], key[1], _name(two or one), key[2], _verdict(one), _verdict(two))
        for key, one, two in pairs
        if _verdict(one) != _verdict(two)
    ]


def left(
    before: Iterable[VerdictRow], after: Iterable[VerdictRow], frozen: FrozenYear
) -> list[Left]:
    """The units of the last freeze that the figure has no more."""
    known = {row.key for row in after}
    return [
        Left(
            row.indicator, row.school, row.school_name, row.unit, row.verdict,
            frozen.year, frozen.revision,
        )
        for row in before
        if row.key not in known
    ]  # fmt: skip


def late(rows: Iterable[Inspection], cutoff: dt.date) -> list[Inspection]:
    """On-site records dated up to the cut-off and entered after it; void ones are none."""
    return [
        row
        for row in rows
        if row.entered is not None
        and not row.void
        and row.day <= cutoff < row.entered.astimezone(CITY_TIME).date()
    ]


def _verdict(row: VerdictRow | None) -> str:
    return "" if row is None else row.verdict


def _name(row: VerdictRow | None) -> str:
    return "" if row is None else row.school_name

"""The book's tables of on-site records: append-only, and so are the voids."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from agent.common.calendar import CITY_TIME
from agent.common.language import say
from collector.roster.book.file import BookError
from collector.roster.book.ids import inspection_id, inspection_number
from collector.roster.register import Inspection

_ALL = """
SELECT inspection.number, school, indicator, unit, day, inspector, found, note, threshold_mbps,
    replaces, inspection.entered_at, inspection.entered_by, file, file_sha256,
    why, inspection_void.entered_at, inspection_void.entered_by,
    (SELECT max(number) FROM inspection AS later WHERE later.replaces = inspection.number)
FROM inspection LEFT JOIN inspection_void ON inspection_void.inspection = inspection.number
"""
_INSERT = (
    "INSERT INTO inspection (school, indicator, threshold_mbps, unit, day, inspector, found, note, "
    "file, file_sha256, replaces, entered_at, entered_by) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
#: A record that counts and says the same is the same, whoever entered it.
_KNOWN = (
    "SELECT 1 FROM inspection WHERE school = ? AND indicator = ? AND threshold_mbps IS ? "
    "AND unit = ? AND day = ? AND inspector = ? AND found = ? AND note = ? "
    "AND number NOT IN (SELECT inspection FROM inspection_void)"
)
_VOID = "INSERT INTO inspection_void VALUES (?, ?, ?, ?)"


def every(base: sqlite3.Connection) -> list[Inspection]:
    """All records by day, the void ones among them."""
    return [_row(*row) for row in base.execute(f"{_ALL} ORDER BY day, inspection.number")]


def one(base: sqlite3.Connection, given: str) -> Inspection:
    """The record with an id as somebody typed it.

    Raises:
        BookError: it is no id, or no record has it.
    """
    number = inspection_number(given)
    if number is None:
        wrong = say(f"「{given}」不是核查编号", f"{given!r} is no id of an inspection")
        raise BookError(f"{wrong}{_list()}")
    found = base.execute(f"{_ALL} WHERE inspection.number = ?", (number,)).fetchone()
    if found is None:
        wrong = say(f"没有编号 {given} 的核查", f"no inspection has the id {given}")
        raise BookError(f"{wrong}{_list()}")
    return _row(*found)


def add(
    base: sqlite3.Connection, rows: Sequence[Inspection], who: str, at: dt.datetime
) -> list[Inspection]:
    """Add records; returns those that are new, with id and entry.

    One with `replaces` makes that record void.

    Raises:
        BookError: `replaces` names no record that counts.
    """
    return [made for row in rows for made in _add(base, row, who, at)]


def _add(base: sqlite3.Connection, row: Inspection, who: str, at: dt.datetime) -> list[Inspection]:
    unit = (row.school, row.indicator, row.threshold_mbps, row.unit)
    said = (*unit, row.day.isoformat(), row.inspector, int(row.found), row.note)
    replaced = valid(base, row.replaces) if row.replaces else None
    if base.execute(_KNOWN, said).fetchone():
        if replaced is None:
            return []
        raise BookError(_same(row.replaces))
    number = inspection_number(replaced.id) if replaced else None
    entry = (at.isoformat(), who)
    values = (*said, row.file, row.file_sha256, number, *entry)
    added = base.execute(_INSERT, values).lastrowid or 0
    if number:
        base.execute(_VOID, (number, "", *entry))
    return [replace(row, id=inspection_id(added), entered=at, entered_by=who)]


def void(base: sqlite3.Connection, given: str, why: str, who: str, at: dt.datetime) -> Inspection:
    """Make a record void; returns it as it is now.

    Raises:
        BookError: no record has the id, or it is void already.
    """
    found = valid(base, given)
    number = inspection_number(found.id)
    base.execute(_VOID, (number, why, at.isoformat(), who))
    return one(base, found.id)


def valid(base: sqlite3.Connection, given: str) -> Inspection:
    """The record with this id, where it counts; raises BookError."""
    found = one(base, given)
    if not found.voided:
        return found
    day = found.voided.astimezone(CITY_TIME).strftime("%Y-%m-%d")
    raise BookError(
        say(
            f"{found.id} 已于 {day} 由 {found.voided_by} 作废：{found.void}。"
            "要再登记，用 inspect add",
            f"{found.id} was made void on {day} by {found.voided_by}: {found.void}. "
            "To record it anew, use inspect add",
        )
    )


def _row(
    number: int, school: str, indicator: str, unit: str, day: str, inspector: str, found: int,
    note: str, threshold: float | None, replaces: int | None, at: str, by: str, file: str,
    digest: str, why: str | None, voided_at: str | None, voided_by: str | None, later: int | None,
) -> Inspection:  # fmt: skip
    return Inspection(
        school, indicator, unit, dt.date.fromisoformat(day), inspector, bool(found), note,
        id=inspection_id(number), threshold_mbps=threshold,
        void="" if why is None else _why(why, later),
        replaces=inspection_id(replaces) if replaces else "",
        entered=dt.datetime.fromisoformat(at), entered_by=by,
        voided=dt.datetime.fromisoformat(voided_at) if voided_at else None,
        voided_by=voided_by or "", file=file, file_sha256=digest,
    )  # fmt: skip


def _why(why: str, later: int | None) -> str:
    """What made a record void, in any language: the words given, or the id that replaces it."""
    return why or (f"→ {inspection_id(later)}" if later else "—")


def _list() -> str:
    return say(
        "。schoolpulse inspect list 列出各条和编号",
        "; schoolpulse inspect list shows them with their ids",
    )


def _same(given: str) -> str:
    return say(
        f"替代 {given} 的记录与一条有效的记录完全相同。若多登了一条，用 inspect void",
        f"the record that replaces {given} says the same as one that counts. "
        "If one is too many, use inspect void",
    )

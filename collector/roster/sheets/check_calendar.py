"""Checks the calendar's rows against each other. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from agent.common.language import say
from collector.roster.problems import Problem
from collector.roster.sheets.records import Record, Table

MAX_DAYS = 400
_SATURDAY = 5

Span = tuple[dt.date, dt.date]


def span(record: Record) -> Span | None:
    """First and last day of a row; None if one of its cells could not be read."""
    if record.bad.intersection({"date", "last"}) or not record.get("date"):
        return None
    first, last = record.values["date"]
    return first, record.get("last") or last or first


def check(table: Table) -> Iterator[Problem]:
    """Check ranges, overlaps within a kind, and days that are both holiday and make-up day."""
    rows = []
    for record in table.records:
        found = list(_range(record))
        yield from found
        days = span(record)
        if days and not found and "kind" not in record.bad:
            rows.append((days, record))
    rows.sort(key=lambda row: (row[0], row[1].row))
    for kind in ("term", "holiday", "makeup"):
        yield from _overlaps([row for row in rows if row[1].get("kind") == kind])
    yield from _contradictions(rows)
    yield from _idle_makeup(rows)


def _range(record: Record) -> Iterator[Problem]:
    days = span(record)
    if days is None:
        return
    first, last = days
    written = record.values["date"][1]
    name = "last" if record.get("last") else "date"
    if written and record.get("last") and written != record.get("last"):
        wrong = say("与日期列里写的结束日不同", "is not the last day that the first column says")
        yield record.problem(name, wrong, say("只在一处写结束日", "write it once"))
    elif last < first:
        wrong = say("结束早于开始", "ends before it begins")
        yield record.problem(name, wrong, say("改正日期", "correct the days"))
    elif (last - first).days > MAX_DAYS:
        wrong = say(f"一段超过 {MAX_DAYS} 天", f"is longer than {MAX_DAYS} days")
        yield record.problem(name, wrong, say("核对年份", "check the year"))


def _overlaps(rows: Sequence[tuple[Span, Record]]) -> Iterator[Problem]:
    """Rows come sorted by first day, so each is compared with the latest end so far."""
    latest: tuple[Span, Record] | None = None
    for days, record in rows:
        if latest and days[0] <= latest[0][1]:
            wrong = say(f"与第 {latest[1].row} 行重叠", f"overlaps row {latest[1].row}")
            fix = say("合成一行，或改正日期", "make them one row, or correct the days")
            yield record.problem("date", wrong, fix)
        if latest is None or days[1] > latest[0][1]:
            latest = days, record


def _contradictions(rows: Sequence[tuple[Span, Record]]) -> Iterator[Problem]:
    makeup = [row for row in rows if row[1].get("kind") == "makeup"]
    for days, record in rows:
        if record.get("kind") != "holiday":
            continue
        for others, other in makeup:
            if days[0] <= others[1] and others[0] <= days[1]:
                wrong = say(
                    f"这一天既调休上课又放假（第 {record.row} 行）",
                    f"is both a make-up day and a holiday (row {record.row})",
                )
                yield other.problem("date", wrong, say("删去一行", "remove one"))


def _idle_makeup(rows: Sequence[tuple[Span, Record]]) -> Iterator[Problem]:
    """Warn of make-up days outside a term, which open the schools too, and on weekdays."""
    terms = [days for days, record in rows if record.get("kind") == "term"]
    for (first, last), record in rows:
        if record.get("kind") != "makeup":
            continue
        if terms and not any(start <= first and last <= end for start, end in terms):
            wrong = say("不在任何学期里，学校会算作开放", "lies in no term, yet opens the schools")
            fix = say("假期里的调休不用登记", "leave it out where schools stay closed")
            yield record.problem("date", wrong, fix, warning=True)
        elif first == last and first.weekday() < _SATURDAY:
            wrong = say("本来就是工作日", "is a weekday anyway")
            yield record.problem("date", wrong, say("核对日期", "check the day"), warning=True)

"""On-site records, read from a sheet or one by one and checked against the register. Pure."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from agent.common.language import say
from collector.roster.problems import Problem, errors
from collector.roster.register import Inspection, Register
from collector.roster.sheets.layout import INSPECTIONS
from collector.roster.sheets.records import Record, Table, parse


def of_cells(cells: Mapping[str, str]) -> tuple[Table, list[Problem]]:
    """One record from the command line: column name -> text."""
    rows = [(1, list(cells)), (2, list(cells.values()))]
    *found, table = parse(INSPECTIONS, "schoolpulse inspect add", rows)
    return table, found


def check(table: Table, register: Register, today: dt.date) -> Iterator[Problem]:
    """Check every record against the register in force; none may be in the future."""
    for record in table.records:
        school = record.get("school")
        if school and school not in register.schools:
            wrong = say("台账里没有这所学校", "is not a school in the register")
            yield record.problem("school", wrong, say("核对学校标识码", "check the code"))
        elif school and record.bad.isdisjoint({"indicator", "class"}):
            yield from _unit(record, register)
        if record.get("threshold") and record.get("indicator") not in (None, "line"):
            wrong = say("只有带宽有门槛", "only a line has a threshold")
            yield record.problem("threshold", wrong, say("清空", "leave it empty"))
        day = record.get("date")
        if day and day > today:
            wrong = say("在今天之后", "lies in the future")
            yield record.problem("date", wrong, say("填到现场的日期", "enter the day on site"))


def _unit(record: Record, register: Register) -> Iterator[Problem]:
    name, school = record.get("class"), record.get("school")
    if record.get("indicator") != "multimedia":
        if name:
            wrong = say("这个指标按学校核查，不填班级", "this indicator is judged by school")
            yield record.problem("class", wrong, say("清空班级", "leave the class empty"))
        return
    known = [row.name for row in register.classes_of.get(school, ())]
    if name not in known:
        wrong = say("不是这所学校的班级", "is not a class of this school")
        if name is None:
            wrong = say("多媒体指标要填班级", "is needed for multimedia")
        near = difflib.get_close_matches(name or "", known, 1)
        hint = say(f"是不是「{near[0]}」？", f"did you mean {near[0]!r}? ") if near else ""
        fix = hint + say("班级有：", "classes: ") + say("、", ", ").join(known[:20])
        yield record.problem("class", wrong, fix)


def inspections_of(
    table: Table, problems: list[Problem], threshold_mbps: float
) -> list[Inspection]:
    """The records; empty if any problem is an error.

    `threshold_mbps` is what a line was judged by where the sheet does not say.
    """
    if errors(problems):
        return []
    return [_row(record, threshold_mbps) for record in table.records]


def _row(record: Record, threshold_mbps: float) -> Inspection:
    indicator = record.values["indicator"]
    threshold = record.get("threshold") or threshold_mbps
    return Inspection(
        school=record.values["school"],
        indicator=indicator,
        unit=record.get("class") or "",
        day=record.values["date"],
        inspector=record.values["inspector"],
        found=record.values["found"] == "yes",
        note=record.get("note") or "",
        threshold_mbps=threshold if indicator == "line" else None,
    )


def without_rows(problems: list[Problem]) -> list[Problem]:
    """The problems by option, for a record given on the command line."""
    return [
        replace(problem, row=None, column="", file=f"--{problem.column}")
        if problem.column
        else replace(problem, row=None)
        for problem in problems
    ]

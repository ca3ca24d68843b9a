"""One list, three forms: a table for people, CSV for a sheet, JSON for programs.

A row holds codes, which JSON prints in any language; a view puts it into words.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import sys
import time as clock
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from agent.common.calendar import CITY_TIME
from agent.common.command_line import config_argument, json_argument
from agent.common.language import for_documents, say
from agent.common.printable import Shown, lines, shown
from collector.commands.tables import console, new_table, print_json
from collector.sheet_cells import cell

Row = Mapping[str, object]
Heading = tuple[str, str, str]  # key, Chinese, English


class View(NamedTuple):
    """Which columns, and the words of their cells."""

    headings: Sequence[Heading]
    said: Callable[[Row], Row] = dict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The forms, the school, and where the settings are."""
    parser.add_argument(
        "--school",
        default="",
        help=say("只看这所学校（学校标识码）", "only this school (10-digit code)"),
    )
    config_argument(parser)
    form = parser.add_mutually_exclusive_group()
    json_argument(form)
    form.add_argument("--csv", action="store_true", help=say("输出 CSV", "print CSV"))


def show(args: argparse.Namespace, rows: Sequence[Row], sheet: View, table: View) -> None:
    """Print the rows; a table of none says so in words."""
    if args.json:
        print_json(list(rows))
    elif args.csv:
        with for_documents():  # a sheet that is kept or handed on
            _csv(sheet, rows)
    else:
        _table(table, rows, one_school=bool(args.school))


def _csv(view: View, rows: Sequence[Row]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([say(zh, en) for _, zh, en in view.headings])
    for row in map(view.said, rows):
        out.writerow([cell(_cell(row, key)) for key, _, _ in view.headings])


def _table(view: View, rows: Sequence[Row], *, one_school: bool) -> None:
    """Without the columns that say nothing: the school that was asked for, and empty ones."""
    if not rows:
        print(say("没有", "none"))
        return
    listed = [view.said(row) for row in rows]
    said = [heading for heading in view.headings if any(_cell(row, heading[0]) for row in listed)]
    headings = [heading for heading in said if not (one_school and heading[0] == "school")]
    table = new_table(*((zh, en) for _, zh, en in headings))
    for row in listed:
        table.add_row(*(_cell(row, key) or "—" for key, _, _ in headings))
    console().print(table)


def _cell(row: Row, key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if key.endswith("_ms"):
        return moment(value)
    if isinstance(value, Shown):
        return value
    if isinstance(value, tuple | list):
        return say("；", "; ").join(map(str, value))
    return str(value)


def below(*parts: object) -> Shown:
    """A cell of several lines, each clean; empty parts take none."""
    return lines(shown(part) for part in parts if part)


def moment(ms: object) -> str:
    """A time in ms since 1970 UTC, as the city's clocks show it; empty where there is none."""
    if not isinstance(ms, int):
        return ""
    return dt.datetime.fromtimestamp(ms / 1000, CITY_TIME).strftime("%Y-%m-%d %H:%M")


def short(ms: object) -> str:
    """The same for a narrow cell: without the year, or without the hour where it is another's."""
    if not isinstance(ms, int):
        return ""
    time, now = (dt.datetime.fromtimestamp(s, CITY_TIME) for s in (ms / 1000, clock.time()))
    return time.strftime("%m-%d %H:%M" if time.year == now.year else "%Y-%m-%d")

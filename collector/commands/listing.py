"""One list, three forms: a table for people, CSV for a sheet, JSON for programs."""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import sys
from collections.abc import Mapping, Sequence

from agent.wire import CITY_TIME
from agent.wire.lang import say
from collector.commands.tables import console, new_table, print_json

Row = Mapping[str, object]
Heading = tuple[str, str, str]  # key, Chinese, English


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The forms, the school, and where the settings are."""
    parser.add_argument("--school", default="", help=say("只看这所学校", "this school only"))
    parser.add_argument("--config", metavar="FILE", help=say("配置文件", "settings file"))
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=say("输出 JSON", "print JSON"))
    form.add_argument("--csv", action="store_true", help=say("输出 CSV", "print CSV"))


def show(args: argparse.Namespace, headings: Sequence[Heading], rows: Sequence[Row]) -> None:
    """Print the rows; a table of none says so in words."""
    if args.json:
        print_json(list(rows))
    elif args.csv:
        _csv(headings, rows)
    else:
        _table(headings, rows)


def _csv(headings: Sequence[Heading], rows: Sequence[Row]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow([say(zh, en) for _, zh, en in headings])
    out.writerows([[_plain(_cell(row, key)) for key, _, _ in headings] for row in rows])


def _plain(cell: str) -> str:
    """A device may call itself `=1+1`: a sheet must show that, and not count it."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell


def _table(headings: Sequence[Heading], rows: Sequence[Row]) -> None:
    if not rows:
        print(say("没有", "none"))
        return
    table = new_table(*((zh, en) for _, zh, en in headings))
    for row in rows:
        table.add_row(*(_cell(row, key) or "—" for key, _, _ in headings))
    console().print(table)


def _cell(row: Row, key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if key.endswith("_ms") and isinstance(value, int):
        return moment(value)
    if isinstance(value, tuple | list):
        return say("；", "; ").join(map(str, value))
    return str(value)


def moment(ms: int) -> str:
    """A time in ms since 1970 UTC, as the city's clocks show it."""
    return dt.datetime.fromtimestamp(ms / 1000, CITY_TIME).strftime("%Y-%m-%d %H:%M")

"""How commands print: tables, findings of the register's checks, JSON."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from agent.common import output
from agent.common.language import say
from collector.roster.problems import Problem, errors, lines, warnings

_FILE_WIDTH = 160  # columns of a file or pipe


def console() -> Console:
    """The terminal, or a wide page where the output goes to a file or pipe."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _FILE_WIDTH
    # Names that others gave are shown as they are: "[/b]" is no markup, ":smile:" no picture.
    return Console(width=width, highlight=False, markup=False, emoji=False)


def new_table(*titles: tuple[str, str]) -> Table:
    """An empty table with these headings (Chinese, English)."""
    table = Table()
    for title in titles:
        table.add_column(say(*title), overflow="fold")
    return table


def print_table(table: Table) -> None:
    """The table, or a word where it has no rows."""
    if table.row_count:
        console().print(table)
    else:
        print(say("没有", "none"))


def print_problems(problems: Sequence[Problem]) -> None:
    """Errors first: lines can be searched, and none is cut."""
    titles = (
        (errors(problems), say("错误", "errors")),
        (warnings(problems), say("提醒", "warnings")),
    )
    for found, title in titles:
        if found:
            print(f"{title} {len(found)}")
        for line in lines(found):
            print(f"  {line}")


def as_json(problems: Sequence[Problem]) -> dict[str, object]:
    """Errors and warnings apart, every part of each its own key."""
    return {
        "errors": [asdict(problem) for problem in errors(problems)],
        "warnings": [asdict(problem) for problem in warnings(problems)],
    }


def print_json(value: object) -> None:
    """JSON for machines, readable for people."""
    output.print_json(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def this_user() -> str:
    """Who runs this, by the system's name; the number where it has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"

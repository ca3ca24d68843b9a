"""How commands print: tables, findings of the register's checks, JSON."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.common import output
from agent.common.language import say
from agent.common.printable import shown
from collector.roster.problems import Problem, errors, lines, warnings

_FILE_WIDTH = 160  # columns of a file or pipe


def console() -> Console:
    """The terminal, or a wide page where the output goes to a file or pipe."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _FILE_WIDTH
    return plain_console(width=width)


def plain_console(*, stderr: bool = False, width: int | None = None) -> Console:
    """A console that takes nothing for markup: "[/b]" is shown, ":smile:" is no picture."""
    stream = output.own(sys.stderr if stderr else sys.stdout)
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


class CleanTable(Table):
    """Cells are text of others: clean, and no markup, whichever console prints them."""

    def add_row(self, *cells: Any, **how: Any) -> None:
        """As rich's; a text that is not rich's own is cleaned."""
        super().add_row(
            *(Text(shown(one)) if isinstance(one, str) else one for one in cells), **how
        )


def new_table(*titles: tuple[str, str]) -> Table:
    """An empty table with these headings (Chinese, English)."""
    table = CleanTable()
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
            print(f"  {shown(line, None)}")


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

"""`schoolpulse evidence list`: what was removed, by whom, and why."""

from __future__ import annotations

import argparse
import sqlite3
from contextlib import closing

from agent.common.command_line import DONE, RefusedError
from agent.common.language import say
from collector.commands import listing
from collector.commands.config_file import load_config
from collector.commands.evidence.removals import FILE, Removals
from collector.commands.inspect.shared import Actions

_HEADINGS: tuple[listing.Heading, ...] = (
    ("id", "编号", "id"), ("at_ms", "时间", "when"), ("who", "谁", "who"), ("why", "为什么", "why"),
    ("school", "学校", "school"), ("what", "条件", "where"), ("rows", "行数", "rows"),
    ("days", "重新汇总", "derived again"), ("file", "副本", "copy"), ("state", "状态", "state"),
)  # fmt: skip


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("列出移除过的依据", "list what was removed")
    parser = actions.add_parser("list", help=text)
    listing.add_arguments(parser)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    path = load_config(args).folder / FILE
    rows = []
    if path.exists():
        try:
            with closing(Removals(path)) as removals:
                rows = removals.rows(args.school)
        except (sqlite3.Error, OSError) as error:
            text = say("读不了：从备份恢复", "cannot be read: restore a backup")
            raise RefusedError(f"{path}: {text} ({error})") from error
    view = listing.View(_HEADINGS, _said)
    listing.show(args, rows, view, view)
    return DONE


def _said(row: listing.Row) -> listing.Row:
    counts = row["rows"] if isinstance(row["rows"], dict) else {}
    done = row["done_ms"] is not None
    unfinished = say("没有做完，再运行一次", "not finished, run it again")
    return {
        **row,
        "rows": [f"{name} {count}" for name, count in counts.items()],
        "state": say("完成", "done") if done else unfinished,
    }

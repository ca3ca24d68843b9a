"""`schoolpulse roster template`: empty sheets with notes on filling them in."""

from __future__ import annotations

import argparse

from agent.common.language import say
from collector.commands.roster.shared import Actions, book_or_csv_arguments, book_path, written
from collector.roster.sheets import write_book, write_template


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("写出空白的工作簿和填表说明", "write an empty workbook with notes on filling it in")
    parser = actions.add_parser("template", help=text)
    book_or_csv_arguments(parser)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    return written(write_template(args.out) if args.csv else write_book(book_path(args.out)))

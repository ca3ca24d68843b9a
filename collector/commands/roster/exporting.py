"""`schoolpulse roster export`: the register as sheets, now or as of an earlier day."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.common.command_line import config_argument
from agent.common.language import say
from collector.commands.config_file import register_book
from collector.commands.roster import states
from collector.commands.roster.shared import Actions, is_book, out_argument, written
from collector.roster.sheets import write_book, write_folder


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("把现行或某一天的台账写成各表", "write the register of now or of a day as sheets")
    parser = actions.add_parser("export", help=text)
    out_argument(parser)
    text = say(
        "某一天结束时的台账，或某一次导入的（默认现行）",
        "as this day ended, or of this import (default: in force now)",
    )
    parser.add_argument("--at", metavar="DAY|N", default="", help=text)
    config_argument(parser)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    book = register_book(args)
    rows = book.rows_of(states.number_of(book, args.at)) if args.at else book.rows()
    out = Path(args.out)
    return written(write_book(out, rows) if is_book(out) else write_folder(rows, out))

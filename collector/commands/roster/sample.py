"""`schoolpulse roster sample`: the sample register, as a workbook or as CSV files."""

from __future__ import annotations

import argparse

from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.commands.roster.shared import Actions, book_or_csv_arguments, book_path, written
from collector.roster.sample import sample_folder
from collector.roster.sheets import errors, read_folder, write_book, write_folder


def add(actions: Actions) -> None:
    """Register the sub-command."""
    parser = actions.add_parser("sample", help=say("写出示例台账", "write a sample register"))
    book_or_csv_arguments(parser)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    rows, problems = read_folder(sample_folder())
    if errors(problems):
        raise RefusedError(
            say("示例台账已损坏，请重装", "the sample register is damaged; reinstall")
        )
    files = write_folder(rows, args.out) if args.csv else write_book(book_path(args.out), rows)
    return written(files)

"""`schoolpulse roster sample`: the sample register as sheets."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.commands.roster.shared import Actions, out_argument, written
from collector.roster.sample import sample_folder
from collector.roster.sheets import errors, read_folder, write_folder


def add(actions: Actions) -> None:
    """Register the sub-command."""
    parser = actions.add_parser("sample", help=say("写出示例台账", "write a sample register"))
    out_argument(parser)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    rows, problems = read_folder(sample_folder())
    if errors(problems):
        raise RefusedError(
            say("示例台账已损坏，请重装", "the sample register is damaged; reinstall")
        )
    return written(write_folder(rows, Path(args.out)))

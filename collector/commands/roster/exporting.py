"""`schoolpulse roster export`: the current register as sheets."""

from __future__ import annotations

from pathlib import Path

from agent.common.command_line import config_argument
from agent.common.language import say
from collector.commands.config_file import register_book
from collector.commands.roster.shared import Actions, out_argument, written
from collector.roster.sheets import write_folder


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("把现行台账写成各表", "write the current register as sheets")
    parser = actions.add_parser("export", help=text)
    out_argument(parser)
    config_argument(parser)
    parser.set_defaults(
        action=lambda args: written(write_folder(register_book(args).rows(), Path(args.out)))
    )

"""`schoolpulse roster template`: empty sheets with notes on filling them in."""

from __future__ import annotations

from pathlib import Path

from agent.common.language import say
from collector.commands.roster.shared import Actions, out_argument, written
from collector.roster.sheets import write_template


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("写出空表和填表说明", "write empty sheets and notes on filling them in")
    parser = actions.add_parser("template", help=text)
    out_argument(parser)
    parser.set_defaults(action=lambda args: written(write_template(Path(args.out))))

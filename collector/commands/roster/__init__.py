"""`schoolpulse roster`: templates, check, import, export and history of the register."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from agent.common.language import say
from collector.commands.roster import (
    checking,
    diff,
    exporting,
    history,
    importing,
    sample,
    template,
    undo,
)

#: One module a sub-command, in the order in which the help lists them.
_SUBCOMMANDS = (template, sample, checking, importing, diff, undo, exporting, history)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with what it needs."""
    actions = parser.add_subparsers(required=True, metavar=say("操作", "ACTION"))
    for module in _SUBCOMMANDS:
        module.add(actions)


def run(args: argparse.Namespace) -> int:
    """Do what the sub-command says."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)

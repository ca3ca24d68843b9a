"""`schoolpulse evidence`: remove what was forged or sent by mistake, and list what was removed."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from agent.common.language import say
from collector.commands.evidence import listing, removing

#: One module a sub-command, in the order in which the help lists them.
_SUBCOMMANDS = (removing, listing)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with what it needs."""
    actions = parser.add_subparsers(required=True, metavar=say("操作", "ACTION"))
    for module in _SUBCOMMANDS:
        module.add(actions)


def run(args: argparse.Namespace) -> int:
    """Do what the sub-command says."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)

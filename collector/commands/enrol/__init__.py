"""`schoolpulse enrol`: credentials and bundles of the schools, their rotation and their end."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from agent.common.language import say
from collector.commands.enrol import (
    adding,
    checking,
    hivemq,
    listing,
    revoking,
    rotating,
    settling,
)

#: One module a sub-command, in the order in which the help lists them.
_SUBCOMMANDS = (adding, listing, checking, rotating, settling, revoking, hivemq)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with what it needs; `add` may be left out."""
    actions = parser.add_subparsers(required=True, metavar=say("操作", "ACTION"))
    for module in _SUBCOMMANDS:
        module.add(actions)
    parse = parser.parse_known_args

    def with_action(args: Sequence[str], namespace: Any = None, **more: Any) -> Any:
        """`enrol --all` and `enrol 9963020001` are `enrol add …`."""
        words = list(args)
        if words and words[0] not in (*actions.choices, "-h", "--help", "--lang"):
            words.insert(0, "add")
        return parse(words, namespace, **more)

    parser.parse_known_args = with_action  # type: ignore[assignment]


def run(args: argparse.Namespace) -> int:
    """Do what the sub-command says."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)

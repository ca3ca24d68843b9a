"""`schoolpulse figure`: the yearly figure on the terminal, or one school explained."""

from __future__ import annotations

import argparse
import sys

from agent.common.command_line import DONE, FAILED, json_argument
from agent.common.language import for_documents, say
from agent.common.output import print_json
from collector.compliance.model import Figure
from collector.report import gather
from collector.report.json import encode
from collector.store.base import StoreError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    gather.add_arguments(parser)
    json_argument(parser)
    parser.add_argument(
        "--explain",
        metavar="CODE",
        help=say(
            "解释一所学校：每条规则、每个数", "explain one school: every rule and number used"
        ),
    )


def run(args: argparse.Namespace) -> int:
    """Judge and print; 2 where invented rows are refused."""
    try:
        figure = gather.figure(args, args.explain)
    except StoreError as error:
        gather.warn(gather.store_failed(error))
        return FAILED
    if args.json:
        _print_json(figure, args.explain)
    else:
        _print_text(figure, args.explain)
    return DONE


def _print_json(figure: Figure, school: str | None) -> None:
    from collector.report import explain, view

    with for_documents():  # as report.json: for programs, which do not change with the terminal
        tree = explain.as_json(figure, school) if school else view.document(figure)
    print_json(encode(tree).decode().rstrip())


def _print_text(figure: Figure, school: str | None) -> None:
    from collector.report import explain, terminal

    if school:
        print("\n".join(explain.text(figure, school)))
    else:
        terminal.show(figure, sys.stdout)

"""`schoolpulse figure`: the yearly figure on the terminal, or one school explained."""

from __future__ import annotations

import argparse
import sys

from agent.common.command_line import DONE, FAILED
from agent.common.language import say
from collector.compliance.model import Figure
from collector.report import gather
from collector.report.json import encode
from collector.store.base import StoreError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    gather.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help=say("输出 JSON", "print JSON"))
    parser.add_argument(
        "--explain",
        metavar="CODE",
        help=say("解释一所学校：每条规则、每个数", "explain a school: every rule, every number"),
    )


def run(args: argparse.Namespace) -> int:
    """Judge and print; 2 where invented rows are refused."""
    try:
        figure = gather.figure(args)
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

    tree = explain.as_json(figure, school) if school else view.document(figure)
    sys.stdout.write(encode(tree).decode())


def _print_text(figure: Figure, school: str | None) -> None:
    from collector.report import explain, terminal

    if school:
        print("\n".join(explain.text(figure, school)))
    else:
        terminal.show(figure, sys.stdout)

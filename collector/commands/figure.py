"""`schoolpulse figure`: the yearly figure on the terminal, or one school explained."""

from __future__ import annotations

import argparse
import sys

from agent.common import printable
from agent.common.command_line import DONE, FAILED, json_argument
from agent.common.language import for_documents, say
from agent.common.output import print_json
from collector import config
from collector.compliance.model import Figure
from collector.report import gather
from collector.report.json import encode
from collector.store.base import StoreError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    gather.add_arguments(parser)
    gather.live_argument(parser)
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
    settings, _ = config.load(args.config)
    if args.json:
        _print_json(figure, args.explain, settings)
    else:
        _print_text(figure, args.explain, settings)
    return DONE


def _print_json(figure: Figure, school: str | None, settings: config.Config) -> None:
    from collector.archive import lookup, wording
    from collector.report import explain, view

    with for_documents():  # as report.json: for programs, which do not change with the terminal
        tree = explain.as_json(figure, school) if school else view.document(figure)
    since = None if school or figure.root else lookup.since(settings, figure)
    if since and since.last:
        tree["since"] = wording.as_tree(since)
    print_json(encode(tree).decode().rstrip())


def _print_text(figure: Figure, school: str | None, settings: config.Config) -> None:
    if school:
        from collector.report import explain

        print(printable.lines(explain.text(figure, school)))
        return
    from collector.archive import lookup, wording
    from collector.report import terminal

    terminal.show(figure, sys.stdout)
    if not figure.root:
        for line in wording.since(lookup.since(settings, figure), figure):
            print(printable.shown(line, None))

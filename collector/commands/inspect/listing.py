"""`schoolpulse inspect list`: every record, void ones marked."""

from __future__ import annotations

import argparse

from agent.common.command_line import DONE
from agent.common.language import say
from collector.commands.config_file import register_book
from collector.commands.inspect.shared import Actions, as_json, common, print_rows
from collector.commands.tables import print_json
from collector.roster.problems import UnfitError
from collector.roster.sheets.values import PARSERS
from collector.roster.sheets.words import INDICATORS_ZH


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("列出现场核查，作废的也列", "list on-site inspections, void ones too")
    parser = actions.add_parser("list", help=text)
    text = say("只看这所学校（学校标识码）", "only this school (10-digit code)")
    parser.add_argument("--school", default="", help=text)
    names = say("、".join(INDICATORS_ZH.values()), ", ".join(INDICATORS_ZH))
    text = say(f"只看这个指标：{names}", f"only this indicator: {names}")
    parser.add_argument("--indicator", default="", type=_indicator, metavar="NAME", help=text)
    common(parser, _run)


def _indicator(text: str) -> str:
    """The code of an indicator, which `inspect add` takes in these words too."""
    try:
        return str(PARSERS["indicator"](text)) if text else ""
    except UnfitError as error:
        known = say(f"「{text}」{error.wrong}。{error.fix}", f"{text!r} {error.wrong}. {error.fix}")
        raise argparse.ArgumentTypeError(known) from error


def _run(args: argparse.Namespace) -> int:
    book = register_book(args)
    rows = [
        row
        for row in book.inspections()
        if args.school in ("", row.school) and args.indicator in ("", row.indicator)
    ]
    if args.json:
        print_json(as_json(rows))
    else:
        print_rows(rows, book.load_or_empty())
    return DONE

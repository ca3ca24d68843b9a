"""`schoolpulse inspect void`: a record that no longer counts, and why; it stays visible."""

from __future__ import annotations

import argparse

from agent.common.command_line import DONE, RefusedError
from agent.common.language import say
from collector.commands.config_file import register_book
from collector.commands.inspect.shared import Actions, as_json, by_argument, common, print_rows
from collector.commands.tables import print_json, this_user
from collector.roster.problems import UnfitError
from collector.roster.sheets.texts import tidy
from collector.roster.sheets.values import parse_text


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("作废一条核查；原记录仍可查", "make a record void; it stays visible")
    parser = actions.add_parser("void", help=text)
    text = say("编号，见 inspect list", "its id, see inspect list")
    parser.add_argument("id", metavar="ID", help=text)
    text = say("为什么作废", "why it no longer counts")
    parser.add_argument("--why", metavar="TEXT", required=True, help=text)
    by_argument(parser)
    common(parser, _run)


def _run(args: argparse.Namespace) -> int:
    book = register_book(args)
    row = book.void(args.id, _why(args.why), who=args.by or this_user())
    if args.json:
        print_json(as_json([row])[0])
        return DONE
    print_rows([row], book.load_or_empty())
    print(say("已作废，不再作数", "void: it no longer counts"))
    return DONE


def _why(given: str) -> str:
    text = tidy(given)
    if not text:
        raise RefusedError(say("--why: 写明为什么作废", "--why: say why it no longer counts"))
    try:
        return parse_text(text)
    except UnfitError as error:
        raise RefusedError(f"--why: {error.wrong}; {error.fix}") from error

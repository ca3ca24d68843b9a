"""`schoolpulse roster undo`: an earlier import in force again, as a new entry of the history."""

from __future__ import annotations

import argparse

from agent.common.command_line import DONE, config_argument, json_argument
from agent.common.language import say
from collector.commands.config_file import register_book
from collector.commands.roster import changes, states
from collector.commands.roster.shared import Actions, dry_run_argument, who_argument
from collector.commands.tables import print_json, this_user
from collector.roster.book import BookError, RegisterBook


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say(
        "撤回最近一次导入；再撤回一次就又回来",
        "take the last import back; undoing again brings it back",
    )
    parser = actions.add_parser("undo", help=text)
    text = say(
        "回到这一次导入，或这一天结束时的台账（默认前一次）",
        "back to this import, or to the register as this day ended (default: the one before)",
    )
    parser.add_argument("--to", metavar="N|DAY", default="", help=text)
    dry_run_argument(parser)
    who_argument(parser)
    config_argument(parser)
    json_argument(parser)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    book = register_book(args)
    rows = book.rows()  # says so where there is no register
    newest = book.history()[-1].number
    number = states.number_of(book, args.to) if args.to else _before(newest)
    found = changes.Changes(rows, book.rows_of(number))
    made = None if args.dry_run else _undo(book, number, newest, args)
    if args.json:
        print_json({"import": made, "restores": number, **changes.as_json(found)})
        return DONE
    changes.show(found, limit=None if args.dry_run else changes.SOME)
    print(_done(made, number))
    return DONE


def _before(newest: int) -> int:
    if newest == 1:
        text = say("只有一次导入，没有可以回到的台账", "there is only one import to go back from")
        raise BookError(text)
    return newest - 1


def _undo(book: RegisterBook, number: int, newest: int, args: argparse.Namespace) -> int:
    return book.restore(number, who=args.who or this_user(), after=newest).number


def _done(made: int | None, number: int) -> str:
    if made is None:
        return say(
            f"只是预演：撤回后是第 {number} 次导入的台账",
            f"dry run: the register would be that of import {number}",
        )
    return say(
        f"第 {number} 次导入的台账重新生效，记为第 {made} 次；roster undo 可再撤回",
        f"the register of import {number} is in force again, as number {made}; "
        "roster undo takes this back",
    )

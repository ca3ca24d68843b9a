"""`schoolpulse roster diff`: what two states of the register differ in, field by field."""

from __future__ import annotations

import argparse

from agent.common.command_line import DONE, config_argument, json_argument
from agent.common.language import say
from collector.commands.config_file import register_book
from collector.commands.roster import changes, states
from collector.commands.roster.shared import Actions
from collector.commands.tables import print_json


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("逐项列出两份台账的差别", "list what two registers differ in, field by field")
    parser = actions.add_parser("diff", help=text)
    text = say(
        "导入的次数、日期（当天结束时的台账），或放着各表的文件夹",
        "an import's number, a day (as that day ended), or a folder of sheets",
    )
    parser.add_argument("first", metavar="A", help=text)
    text = say("同上；省略则为现行台账", "the same; the register in force where it is left out")
    parser.add_argument("second", metavar="B", nargs="?", help=text)
    config_argument(parser)
    json_argument(parser)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    book = register_book(args)
    before, old = states.rows_of(book, args.first)
    if args.second is None:
        after, new = book.rows(), say("现行台账", "the register in force")
    else:
        after, new = states.rows_of(book, args.second)
    found = changes.Changes(before, after)
    if args.json:
        print_json(changes.as_json(found))
        return DONE
    print(say(f"从 {old} 到 {new}：", f"from {old} to {new}:"))
    changes.show(found, limit=None)
    if not any(found.sheets.values()):
        print(say("没有差别", "no difference"))
    return DONE

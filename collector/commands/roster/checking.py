"""`schoolpulse roster check`: everything that is wrong with the sheets of a folder."""

from __future__ import annotations

import argparse

from agent.common.command_line import DONE, json_argument
from agent.common.language import say
from collector.commands.roster.shared import Actions, counts_text, folder_argument, refuse
from collector.commands.tables import as_json, print_json, print_problems
from collector.roster.sheets import errors, read_folder


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("检查一个工作簿或文件夹里的各表", "check the sheets of a workbook or folder")
    parser = actions.add_parser("check", help=text)
    folder_argument(parser)
    json_argument(parser)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    rows, problems = read_folder(args.folder)
    if errors(problems):
        return refuse(
            args, problems, say("有错误，不能导入", "there are errors, cannot be imported")
        )
    if args.json:
        print_json({**as_json(problems), "counts": rows.counts()})
        return DONE
    print_problems(problems)
    print(say("没有错误，可以导入：", "no errors, ready to import: ") + counts_text(rows.counts()))
    return DONE

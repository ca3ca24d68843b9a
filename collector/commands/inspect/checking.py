"""`schoolpulse inspect check`: whether the kept forms and photos are still what they were."""

from __future__ import annotations

import argparse

from agent.common.command_line import DONE, FAILED
from agent.common.language import say
from agent.common.printable import shown
from collector.commands.config_file import register_book
from collector.commands.inspect.shared import Actions, common
from collector.commands.tables import print_json
from collector.roster.book.attachments import faults


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("核对存档的表和照片", "check the kept forms and photos by their hashes")
    parser = actions.add_parser("check", help=text)
    common(parser, _run)


def _run(args: argparse.Namespace) -> int:
    book = register_book(args)
    rows = [row for row in book.inspections() if row.file]
    found = list(faults(book.path, rows))
    if args.json:
        wrong = [{"id": row.id, "file": row.file, "wrong": text} for row, text in found]
        print_json({"files": len({row.file_sha256 for row in rows}), "wrong": wrong})
    else:
        for row, text in found:
            print(shown(f"{row.id} {row.file}: {text}", None))
        if not found:
            files = len({row.file_sha256 for row in rows})
            print(say(f"{files} 个文件都与登记时相同", f"{files} files are as they were recorded"))
    return FAILED if found else DONE

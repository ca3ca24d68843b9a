"""`schoolpulse roster import`: the sheets checked, and put in the register's place."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from agent.common.command_line import DONE, config_argument, json_argument
from agent.common.language import say
from collector.commands.config_file import register_book
from collector.commands.roster.shared import Actions, counts_text, folder_argument, refuse
from collector.commands.tables import (
    as_json,
    console,
    new_table,
    print_json,
    print_problems,
    this_user,
)
from collector.roster.book import Import, NoRegisterError, RegisterBook
from collector.roster.rows import Rows
from collector.roster.sheets import SHEETS, Change, difference, errors, hashes, read_folder

_NAMED = 10


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("检查并导入，整体替换台账", "check and import; replaces the whole register")
    parser = actions.add_parser("import", help=text)
    folder_argument(parser)
    json_argument(parser)
    config_argument(parser)
    text = say("只说会改什么，不导入", "show what would change, import nothing")
    parser.add_argument("--dry-run", action="store_true", help=text)
    text = say(
        "导入人，记入历史（默认系统用户）", "name for the history (default: the system user)"
    )
    parser.add_argument("--who", default="", help=text)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    rows, problems = read_folder(args.folder)
    if errors(problems):
        return refuse(
            args, problems, say("有错误，一行也没有导入", "there are errors, nothing was imported")
        )
    book = register_book(args)
    before = _before(book)
    changes = difference(before, rows)
    made = None if args.dry_run else _put(book, rows, args)
    if args.json:
        number = made.number if made else None
        counts = {name: _sizes(change) for name, change in changes.items()}
        print_json({**as_json(problems), "import": number, "changes": counts})
        return DONE
    print_problems(problems)
    _print_changes(changes, before, rows)
    print(_done(made, rows))
    return DONE


def _before(book: RegisterBook) -> Rows:
    try:
        return book.rows()
    except NoRegisterError:
        return Rows()


def _put(book: RegisterBook, rows: Rows, args: argparse.Namespace) -> Import:
    source = str(args.folder.resolve())
    return book.import_rows(
        rows, who=args.who or this_user(), source=source, sheets=hashes(args.folder)
    )


def _sizes(change: Change) -> dict[str, int]:
    return {
        "added": len(change.added),
        "removed": len(change.removed),
        "changed": len(change.changed),
    }


def _print_changes(changes: Mapping[str, Change], before: Rows, after: Rows) -> None:
    titles = (("表", "sheet"), ("行数", "rows"), ("新增", "added"), ("删除", "removed"))
    table = new_table(*titles, ("改动", "changed"))
    counts = after.counts()
    for name, change in changes.items():
        table.add_row(SHEETS[name].title, str(counts[name]), *map(str, _sizes(change).values()))
    console().print(table)
    names = {school.code: school.name for school in before.schools}
    gone = [f"{code} {names[code]}" for (code,) in changes["schools"].removed]
    if gone:
        more = say(f" 等 {len(gone)} 所", f" and more, {len(gone)} in all")
        shown = say("、", ", ").join(gone[:_NAMED]) + (more if len(gone) > _NAMED else "")
        print(say(f"不再在册的学校：{shown}", f"schools no longer in the register: {shown}"))


def _done(made: Import | None, rows: Rows) -> str:
    counts = counts_text(rows.counts())
    if made is None:
        return say(f"只是预演，没有导入：{counts}", f"dry run, nothing imported: {counts}")
    return say(
        f"已导入（第 {made.number} 次），整个台账由这些表替换：{counts}",
        f"imported (number {made.number}), the register now holds exactly these sheets: {counts}",
    )

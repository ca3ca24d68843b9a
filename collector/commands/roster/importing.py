"""`schoolpulse roster import`: the sheets checked, and put in the register's place."""

from __future__ import annotations

import argparse
import difflib
from pathlib import Path

from agent.common.command_line import DONE, RefusedError, config_argument, json_argument
from agent.common.language import say
from collector.commands.asking import agreed
from collector.commands.config_file import register_book
from collector.commands.roster import changes
from collector.commands.roster.changes import Changes
from collector.commands.roster.shared import (
    Actions,
    counts_text,
    dry_run_argument,
    folder_argument,
    refuse,
    who_argument,
)
from collector.commands.tables import as_json, print_json, print_problems, this_user
from collector.roster.book import Import, RegisterBook
from collector.roster.rows import Rows
from collector.roster.sheets import SHEETS, Excerpt, errors, hashes, read_folder, removals
from collector.roster.sheets.texts import plain

_NAMES = {name: sheet.name for sheet in SHEETS.values() for name in (sheet.name, *sheet.zh)}


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say(
        "检查并导入，替换整个台账或其中一部分",
        "check and import; replaces the register, or a part of it",
    )
    parser = actions.add_parser("import", help=text)
    folder_argument(parser)
    text = say(
        "只导入这所学校的行（学校标识码，可多次写），其余不动",
        "import this school's rows only (10-digit code, may be repeated)",
    )
    parser.add_argument("--school", metavar="CODE", action="append", default=[], help=text)
    text = say("只导入这张表（可多次写），其余不动", "import this sheet only (may be repeated)")
    parser.add_argument("--sheet", metavar="NAME", action="append", default=[], help=text)
    text = say(
        "同意删除台账里有而表里没有的行",
        "remove the rows that the register has and the sheets do not",
    )
    parser.add_argument("--remove", action="store_true", help=text)
    dry_run_argument(parser)
    who_argument(parser)
    json_argument(parser)
    config_argument(parser)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    book = register_book(args)
    history = book.history()
    after = history[-1].number if history else 0
    before = book.rows_of(after) if after else Rows()
    excerpt = _excerpt(args, before)
    rows, problems = read_folder(args.folder, excerpt)
    if errors(problems):
        return refuse(
            args, problems, say("有错误，一行也没有导入", "there are errors, nothing was imported")
        )
    found = Changes(before, rows)
    if not args.json:
        print_problems(problems)
        some = changes.SOME if after else 0  # of a first import every row is new
        changes.show(found, limit=None if args.dry_run else some)
    refused = "" if args.dry_run else _refused(found, args)
    made = None if args.dry_run or refused else _put(book, rows, excerpt, after, args)
    if args.json:
        number = made.number if made else None
        print_json({**as_json(problems), "import": number, **changes.as_json(found)})
    if refused:
        raise RefusedError(refused)
    if not args.json:
        print(_done(made, found))
    return DONE


def _excerpt(args: argparse.Namespace, before: Rows) -> Excerpt | None:
    """The part that is asked for: schools, sheets, or the one sheet that a CSV file is."""
    sheets = frozenset(map(_sheet, args.sheet))
    one_file = args.folder.suffix.lower() == ".csv" and args.folder.is_file()
    if not (sheets or args.school or one_file):
        return None
    return Excerpt(before, frozenset(map(plain, args.school)), sheets)


def _sheet(given: str) -> str:
    if given.lower() in _NAMES:
        return _NAMES[given.lower()]
    near = difflib.get_close_matches(given, _NAMES, 1, cutoff=0.3)
    hint = say(f"，是不是 {near[0]}？", f"; did you mean {near[0]}?") if near else ""
    known = say("、", ", ").join(sheet.title for sheet in SHEETS.values())
    text = say(f"台账没有「{given}」这张表{hint}有：{known}", f"no sheet {given!r}{hint} {known}")
    raise RefusedError(f"--sheet: {text}")


def _refused(found: Changes, args: argparse.Namespace) -> str:
    """Why nothing is imported: rows would leave, and nobody agrees. Empty: it may go on."""
    count = removals(found.sheets)
    if not count or args.remove:
        return ""
    question = say(f"要从台账里删除 {count} 行？", f"remove {count} rows from the register?")
    answer = None if args.json else agreed(question)
    if answer:
        return ""
    if answer is None:
        return say(
            f"会从台账里删除 {count} 行，什么也没有改。确要删除，加 --remove；"
            "只更新几所学校，用 --school 学校标识码；只更新一张表，用 --sheet 表名",
            f"{count} rows would leave the register; nothing was changed. To remove them, add "
            "--remove; to update some schools only, --school CODE; one sheet only, --sheet NAME",
        )
    return say("什么也没有改", "nothing was changed")


def _put(
    book: RegisterBook, rows: Rows, excerpt: Excerpt | None, after: int, args: argparse.Namespace
) -> Import:
    return book.import_rows(
        rows,
        who=args.who or this_user(),
        source=str(args.folder.resolve()),
        sheets=hashes(args.folder),
        part=_part(excerpt, args.folder),
        after=after,
    )


def _part(excerpt: Excerpt | None, path: Path) -> dict[str, list[str]]:
    """What the import was limited to, for the history; a CSV file alone is one sheet."""
    if excerpt is None:
        return {}
    return excerpt.told() or {"sheets": [_NAMES.get(path.stem.lower(), path.stem)]}


def _done(made: Import | None, found: Changes) -> str:
    counts = counts_text(found.after.counts())
    if made is None:
        text = say(f"只是预演，没有导入：{counts}", f"dry run, nothing imported: {counts}")
        count = removals(found.sheets)
        more = say(f"。要删除 {count} 行，须加 --remove", f". It removes {count} rows: --remove")
        return text + (more if count else "")
    return say(
        f"已导入（第 {made.number} 次），台账现有：{counts}。roster undo 可撤回",
        f"imported (number {made.number}), the register now holds: {counts}. "
        "roster undo takes it back",
    )

"""`schoolpulse calendar`: holidays, make-up days and terms, apart from the other sheets."""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
from collections.abc import Callable
from pathlib import Path

from agent.common.calendar import CITY_TIME
from agent.common.command_line import (
    DONE,
    FAILED,
    RefusedError,
    config_argument,
    json_argument,
)
from agent.common.language import say
from collector.commands.config_file import register_book
from collector.commands.roster import changes
from collector.commands.roster.changes import Changes
from collector.commands.roster.shared import dry_run_argument, refuse, who_argument
from collector.commands.tables import (
    as_json,
    new_table,
    print_json,
    print_problems,
    print_table,
    this_user,
)
from collector.roster.book import RegisterBook
from collector.roster.calendar import ending, reading
from collector.roster.rows import Rows
from collector.roster.sheets import check_calendar, errors
from collector.roster.sheets.words import DAY_KINDS_ZH


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with what it needs."""
    actions = parser.add_subparsers(required=True, metavar=say("操作", "ACTION"))
    text = say(
        "把 .ics、.csv 或工作簿里的日子加进校历", "add the days of an .ics, .csv or workbook"
    )
    add = actions.add_parser("import", help=text, description=text)
    add.add_argument("file", metavar="FILE", type=Path, help=say("校历文件", "the calendar"))
    text = say(
        "文件就是整个校历：台账里有而文件里没有的日子删去",
        "the file is the whole calendar: days that it lacks leave the register",
    )
    add.add_argument("--remove", action="store_true", help=text)
    dry_run_argument(add)
    who_argument(add)
    _common(add, _import)
    _common(actions.add_parser("list", help=say("列出校历", "list the calendar")), _list)
    text = say("检查校历：重叠、矛盾、快到期", "check for overlaps, contradictions and its end")
    _common(actions.add_parser("check", help=text), _check)


def run(args: argparse.Namespace) -> int:
    """Do what the sub-command says."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)


def _common(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], int]) -> None:
    json_argument(parser)
    config_argument(parser)
    parser.set_defaults(action=action)


def _import(args: argparse.Namespace) -> int:
    book = register_book(args)
    before, number = _in_force(book)
    rows, problems = reading.read(args.file, before, whole=args.remove)
    if errors(problems):
        text = say("有错误，一天也没有导入", "there are errors, no day was imported")
        return refuse(args, problems, text)
    found, made = Changes(before, rows), None
    if not args.json:
        print_problems(problems)
        changes.show(found, limit=None if args.dry_run else changes.SOME)
    if not args.dry_run and found.before.calendar != found.after.calendar:
        made = book.import_rows(
            rows,
            who=args.who or this_user(),
            source=str(args.file.resolve()),
            sheets={args.file.name: hashlib.sha256(args.file.read_bytes()).hexdigest()},
            part={"sheets": ["calendar"]},
            after=number,
        ).number
    soon = ending.warning(rows.register().calendar, _today())
    if args.json:
        print_json({**as_json(problems), "import": made, "soon": soon, **changes.as_json(found)})
        return DONE
    print(_done(made, dry_run=args.dry_run))
    _say_soon(soon)
    return DONE


def _in_force(book: RegisterBook) -> tuple[Rows, int]:
    """The rows in force and the number of their import. Raises RefusedError: there are none."""
    history = book.history()
    if not history:
        book.load()  # says that there is no register, and what to do
        raise RefusedError(say("还没有台账", "no register yet"))
    return book.rows_of(history[-1].number), history[-1].number


def _done(made: int | None, *, dry_run: bool) -> str:
    if dry_run:
        return say("只是预演，没有导入", "dry run, nothing imported")
    if made is None:
        return say("校历已是这样，没有改动", "the calendar is so already, nothing was changed")
    return say(
        f"已导入（第 {made} 次）。roster undo 可撤回",
        f"imported (number {made}). roster undo takes it back",
    )


def _say_soon(soon: str) -> None:
    if soon:
        print(f"{soon} → {ending.fix()}")


def _list(args: argparse.Namespace) -> int:
    rows, _ = _in_force(register_book(args))
    days = sorted(rows.calendar, key=lambda row: (row.first, row.kind))
    if args.json:
        print_json(
            [
                {"first": one.first, "last": one.last, "kind": one.kind, "note": one.note}
                for one in days
            ]
        )
        return DONE
    table = new_table(("起", "first"), ("止", "last"), ("类别", "kind"), ("说明", "note"))
    for one in days:
        kind = say(DAY_KINDS_ZH[one.kind], one.kind)
        table.add_row(one.first.isoformat(), one.last.isoformat(), kind, one.note)
    print_table(table)
    _say_soon(ending.warning(rows.register().calendar, _today()))
    return DONE


def _check(args: argparse.Namespace) -> int:
    """1 on any finding, a calendar that ends soon too."""
    rows, _ = _in_force(register_book(args))
    problems = list(check_calendar.check(reading.in_force(rows)))
    soon = ending.warning(rows.register().calendar, _today())
    if args.json:
        print_json({**as_json(problems), "soon": soon})
    else:
        print_problems(problems)
        _say_soon(soon)
        if not problems and not soon:
            print(say("没有问题", "no findings"))
    return FAILED if problems or soon else DONE


def _today() -> dt.date:
    return dt.datetime.now(CITY_TIME).date()

"""`schoolpulse inspect import`: filled forms read, what changes shown, asked, recorded."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from agent.common.command_line import DONE, FAILED, RefusedError
from agent.common.language import say
from agent.common.printable import shown
from collector.commands.asking import agreed
from collector.commands.config_file import REGISTER_FILE, load_config
from collector.commands.inspect.shared import Actions, by_argument, common, found, indicator, today
from collector.commands.inspect.shared import as_json as rows_json
from collector.commands.tables import as_json, print_json, print_problems, this_user
from collector.roster.book import RegisterBook, attachments
from collector.roster.forms import Comparison, compare, read_form
from collector.roster.forms.compare import older
from collector.roster.forms.reading import Filled
from collector.roster.problems import Problem, errors
from collector.roster.register import Inspection, Register


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("读入填好的核查表", "read filled forms")
    parser = actions.add_parser("import", help=text)
    text = say("填好的表（xlsx，或另存的 CSV）", "the filled form (xlsx, or CSV made of it)")
    parser.add_argument("file", metavar="FILE", type=Path, help=text)
    text = say("不问，直接登记", "record without asking")
    parser.add_argument("--yes", action="store_true", help=text)
    text = say("只说会登记什么，不登记", "show what would be recorded, record nothing")
    parser.add_argument("--dry-run", action="store_true", help=text)
    by_argument(parser)
    common(parser, _run)


def _run(args: argparse.Namespace) -> int:
    config = load_config(args)
    book = RegisterBook(config.folder / REGISTER_FILE)
    register = book.load()
    filled, problems = read_form(args.file, register, config.figure.threshold_mbps, today())
    problems += _older(book, args.file, filled)
    change = Comparison()
    if not errors(problems):
        change = compare(filled.records, book.inspections())
    if not args.json:
        _show(problems, filled, change, register)
    refused = "" if args.dry_run or errors(problems) else _refused(change, args)
    made = [] if args.dry_run or errors(problems) or refused else _store(book, change, args)
    if args.json:
        counts = {"new": len(change.new), "changed": len(change.changed), "known": change.known}
        told = {**counts, "empty": filled.empty, "added": len(made), "rows": rows_json(made)}
        print_json({**as_json(problems), **told})
    if refused:
        raise RefusedError(refused)
    if not args.json:
        print(_done(problems, change, made, args))
    return FAILED if errors(problems) else DONE


def _older(book: RegisterBook, file: Path, filled: Filled) -> list[Problem]:
    newest = book.history()[-1].number
    numbers = {number for number in filled.made_from.values() if 0 < number < newest}
    then = {number: book.rows_of(number) for number in numbers}
    return list(older(file.name, filled, then, book.rows(), newest))


def _show(
    problems: Sequence[Problem], filled: Filled, change: Comparison, register: Register
) -> None:
    print_problems(problems)
    for row in change.new:
        print(f"  {say('新增', 'new')} {_named(row, register)}")
    for old, row in change.changed:
        was = say(f"原为 {found(old)}", f"was {found(old)}") + _note(old)
        print(f"  {say('更改', 'changed')} {old.id} {_named(row, register)}（{was}）")
    if change.known:
        print(say(f"  {change.known} 行早已登记", f"  {change.known} rows are recorded already"))
    if filled.empty:
        print(say(f"  {filled.empty} 行没有填", f"  {filled.empty} rows are empty"))


def _named(row: Inspection, register: Register) -> str:
    school = register.schools[row.school].name
    unit = " ".join(filter(None, (row.school, school, indicator(row), row.unit)))
    return shown(
        f"{unit}{say('：', ': ')}{found(row)}{_note(row)}, {row.day} {row.inspector}", None
    )


def _note(row: Inspection) -> str:
    return f" {shown(row.note)}" if row.note else ""


def _refused(change: Comparison, args: argparse.Namespace) -> str:
    """Why nothing is recorded; empty: it may go on."""
    if args.yes or not (change.new or change.changed):
        return ""
    counts = _counts(change)
    answer = None if args.json else agreed(say(f"登记{counts}？", f"Record {counts}?"))
    if answer:
        return ""
    if answer is None:
        return say(
            f"会登记{counts}，什么也没有改。确要登记，加 --yes",
            f"this would record {counts}; nothing was changed. To record it, add --yes",
        )
    return say("什么也没有改", "nothing was changed")


def _counts(change: Comparison) -> str:
    new, changed = len(change.new), len(change.changed)
    return say(f"新增 {new} 条、更改 {changed} 条", f"{new} new and {changed} changed records")


def _store(book: RegisterBook, change: Comparison, args: argparse.Namespace) -> list[Inspection]:
    if not change.rows():
        return []
    kept = attachments.keep(book.path, args.file)
    rows = [replace(row, file=kept.name, file_sha256=kept.sha256) for row in change.rows()]
    return book.record(rows, who=args.by or this_user())


def _done(
    problems: Sequence[Problem],
    change: Comparison,
    made: Sequence[Inspection],
    args: argparse.Namespace,
) -> str:
    if errors(problems):
        return say("有错误，一条也没有登记", "there are errors, nothing was recorded")
    if args.dry_run:
        text = _counts(change)
        return say(f"只是预演，没有登记：{text}", f"dry run, nothing recorded: {text}")
    first, last = (made[0].id, made[-1].id) if made else ("", "")
    ids = say(f"，编号 {first} 至 {last}", f", ids {first} to {last}") if made else ""
    return say(f"已登记 {len(made)} 条{ids}", f"{len(made)} recorded{ids}")

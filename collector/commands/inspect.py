"""`schoolpulse inspect`: dated on-site inspections, one by one or from a sheet."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import asdict
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
from collector.commands.tables import (
    as_json,
    new_table,
    print_json,
    print_problems,
    print_table,
    this_user,
)
from collector.roster.book import inspections
from collector.roster.problems import Problem, errors
from collector.roster.register import Inspection, Register
from collector.roster.sheets import INSPECTIONS, read_table
from collector.roster.sheets.layout import Column
from collector.roster.sheets.words import INDICATORS_ZH

_CELLS = ("school", "indicator", "class", "date", "inspector", "found", "note")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with what it needs."""
    actions = parser.add_subparsers(required=True, metavar=say("操作", "ACTION"))
    add = actions.add_parser("add", help=say("登记现场核查", "add on-site inspections"))
    for column in INSPECTIONS.columns:
        add.add_argument(f"--{column.name}", default="", help=_help(column))
    text = say("从一张 CSV 表批量登记（列名同上）", "add many from a CSV file with these columns")
    add.add_argument("--csv", metavar="FILE", type=Path, help=text)
    _common(add, _run_add)
    show = actions.add_parser("list", help=say("列出现场核查", "list on-site inspections"))
    show.add_argument(
        "--school",
        default="",
        help=say("只看这所学校（学校标识码）", "only this school (10-digit code)"),
    )
    text = say("只看这个指标：", "only this indicator: ") + ", ".join(INDICATORS_ZH)
    known = ("", *INDICATORS_ZH)
    show.add_argument("--indicator", default="", choices=known, metavar="NAME", help=text)
    _common(show, _run_list)


def _help(column: Column) -> str:
    return say(f"{column.heading}：{column.meaning}", f"{column.heading}: {column.meaning}")


def run(args: argparse.Namespace) -> int:
    """Do what the sub-command says."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)


def _common(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], int]) -> None:
    config_argument(parser)
    json_argument(parser)
    parser.set_defaults(action=action)


def _run_add(args: argparse.Namespace) -> int:
    cells = {name: getattr(args, name) for name in _CELLS}
    if args.csv and any(cells.values()):
        text = say("--csv 与单条登记只用其一", "use either --csv or a single record, not both")
        raise RefusedError(text)
    book = register_book(args)
    records, problems = _records(args.csv, cells, book.load(), _today())
    added = 0
    if not errors(problems):
        added = book.add_inspections(records, who=this_user())
    if args.json:
        print_json({**as_json(problems), "records": len(records), "added": added})
    else:
        print_problems(problems)
        print(_added(len(records), added))
    return FAILED if errors(problems) else DONE


def _today() -> dt.date:
    return dt.datetime.now(CITY_TIME).date()


def _records(
    file: Path | None, cells: dict[str, str], register: Register, today: dt.date
) -> tuple[list[Inspection], list[Problem]]:
    if file:
        table, problems = read_table(INSPECTIONS, file)
    else:
        cells["date"] = cells["date"] or today.isoformat()
        table, problems = inspections.of_cells(cells)
    problems += inspections.check(table, register, today)
    records = inspections.inspections_of(table, problems)
    return records, problems if file else inspections.without_rows(problems)


def _added(records: int, added: int) -> str:
    if not records:
        return say("一条也没有登记", "no records added")
    known = records - added
    text = say(f"已登记 {added} 条", f"{added} added")
    return text + (say(f"，{known} 条早已登记", f", {known} already recorded") if known else "")


def _run_list(args: argparse.Namespace) -> int:
    book = register_book(args)
    rows = [
        row
        for row in book.inspections()
        if args.school in ("", row.school) and args.indicator in ("", row.indicator)
    ]
    if args.json:
        print_json([asdict(row) for row in rows])
    else:
        _print(rows, book.load_or_empty())
    return DONE


def _print(rows: Sequence[Inspection], register: Register) -> None:
    titles = (("日期", "date"), ("学校", "school"), ("指标", "indicator"), ("班级", "class"))
    table = new_table(*titles, ("符合", "found"), ("核查人", "inspector"), ("备注", "note"))
    for row in rows:
        school = register.schools.get(row.school)
        name = f"{row.school} {school.name}" if school else row.school
        found = say("是", "yes") if row.found else say("否", "no")
        indicator = say(INDICATORS_ZH[row.indicator], row.indicator)
        cells = (str(row.day), name, indicator, row.unit, found, row.inspector, row.note)
        table.add_row(*cells)
    print_table(table)

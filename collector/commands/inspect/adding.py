"""`schoolpulse inspect add`: one record, or many from a CSV file; or one in another's place."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from agent.common.command_line import DONE, FAILED, RefusedError
from agent.common.language import say
from agent.common.vocabulary.thresholds import number
from collector.commands.config_file import REGISTER_FILE, load_config
from collector.commands.inspect.shared import Actions, by_argument, common, print_rows, today
from collector.commands.inspect.shared import as_json as rows_json
from collector.commands.tables import as_json, print_json, print_problems, this_user
from collector.roster.book import RegisterBook, attachments, inspections
from collector.roster.problems import Problem, errors
from collector.roster.register import Inspection, Register
from collector.roster.sheets import INSPECTIONS, read_table
from collector.roster.sheets.layout import Column

_CELLS = tuple(column.name for column in INSPECTIONS.columns)


def add(actions: Actions) -> None:
    """Register the sub-command."""
    parser = actions.add_parser("add", help=say("登记现场核查", "add on-site inspections"))
    for column in INSPECTIONS.columns:
        parser.add_argument(f"--{column.name}", default="", help=_help(column))
    text = say(
        "替代这一条（编号）：没有写的栏照旧，原记录作废但仍可查",
        "in the place of this record (id): what is not given stays; the old one is void, and kept",
    )
    parser.add_argument("--replaces", metavar="ID", default="", help=text)
    text = say("照片或签字的表，复制一份存档", "a photo or the signed form; a copy is kept")
    parser.add_argument("--file", metavar="FILE", type=Path, help=text)
    text = say("从一张 CSV 表批量登记（列名同上）", "add many from a CSV file with these columns")
    parser.add_argument("--csv", metavar="FILE", type=Path, help=text)
    by_argument(parser)
    common(parser, _run)


def _help(column: Column) -> str:
    return say(f"{column.heading}：{column.meaning}", f"{column.heading}: {column.meaning}")


def _run(args: argparse.Namespace) -> int:
    cells = {name: getattr(args, name) for name in _CELLS}
    if args.csv and (any(cells.values()) or args.replaces):
        text = say("--csv 与单条登记只用其一", "use either --csv or a single record, not both")
        raise RefusedError(text)
    config = load_config(args)
    book = RegisterBook(config.folder / REGISTER_FILE)
    register = book.load()
    old = book.inspection(args.replaces) if args.replaces else None
    table = _given(args.csv, _kept(cells, old), register, today(), config.figure.threshold_mbps)
    records, problems = table
    made = [] if errors(problems) else _store(book, records, old, args)
    if args.json:
        added = {"records": len(records), "added": len(made), "ids": [row.id for row in made]}
        print_json({**as_json(problems), **added, "rows": rows_json(made)})
    else:
        print_problems(problems)
        if made:
            print_rows(made, register)
        print(_added(len(records), len(made)))
    return FAILED if errors(problems) else DONE


def _kept(cells: Mapping[str, str], old: Inspection | None) -> dict[str, str]:
    """What the record says: the cells that are given, else those of the record it replaces."""
    if old is None:
        return dict(cells)
    threshold = "" if old.threshold_mbps is None else number(old.threshold_mbps)
    said = {
        "school": old.school, "indicator": old.indicator, "class": old.unit,
        "date": old.day.isoformat(), "inspector": old.inspector,
        "found": "yes" if old.found else "no", "note": old.note, "threshold": threshold,
    }  # fmt: skip
    if cells["indicator"]:  # a class or a threshold belongs to the indicator it was written for
        said |= {"class": "", "threshold": ""}
    return {name: cells[name] or said[name] for name in cells}


def _given(
    file: Path | None, cells: dict[str, str], register: Register, day: dt.date, threshold: float
) -> tuple[list[Inspection], list[Problem]]:
    if file:
        table, problems = read_table(INSPECTIONS, file)
    else:
        cells["date"] = cells["date"] or day.isoformat()
        table, problems = inspections.of_cells(cells)
    problems += inspections.check(table, register, day)
    records = inspections.inspections_of(table, problems, threshold)
    return records, problems if file else inspections.without_rows(problems)


def _store(
    book: RegisterBook,
    records: Sequence[Inspection],
    old: Inspection | None,
    args: argparse.Namespace,
) -> list[Inspection]:
    file = args.file or args.csv
    kept = attachments.keep(book.path, file) if file else attachments.Kept("", "")
    if old and not file:
        kept = attachments.Kept(old.file, old.file_sha256)
    id_of_old = old.id if old else ""
    rows = [
        replace(row, replaces=id_of_old, file=kept.name, file_sha256=kept.sha256)
        for row in records
    ]  # fmt: skip
    return book.record(rows, who=args.by or this_user())


def _added(records: int, added: int) -> str:
    if not records:
        return say("一条也没有登记", "no records added")
    known = records - added
    text = say(f"已登记 {added} 条", f"{added} added")
    return text + (say(f"，{known} 条早已登记", f", {known} already recorded") if known else "")

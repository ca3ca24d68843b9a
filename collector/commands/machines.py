"""`schoolpulse machines`: list PCs and their rooms; bind, retire or merge them."""

from __future__ import annotations

import argparse
import datetime as dt
import fnmatch
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from agent.common import log
from agent.common.calendar import CITY_TIME, local_day
from agent.common.command_line import DONE, FAILED, RefusedError, config_argument
from agent.common.language import say
from collector.commands import listing
from collector.commands.config_file import REGISTER_FILE, load_config
from collector.commands.stock import opened
from collector.commands.tables import print_problems, this_user
from collector.config import Config
from collector.inventory import machines
from collector.roster.book import RegisterBook, decisions
from collector.roster.book.inspections import without_rows
from collector.roster.problems import Problem, errors
from collector.roster.register import Register
from collector.roster.sheets import DECISIONS, read_table
from collector.roster.sheets.records import Table, parse
from collector.store.base import StoreError
from collector.store.factory import open_store

_SHEET: tuple[listing.Heading, ...] = (
    ("school", "学校", "school"), ("room", "教室", "room"), ("hostname", "主机名", "hostname"),
    ("bound_by", "依据", "bound by"), ("last_ms", "最近", "last seen"), ("days", "天数", "days"),
    ("problems", "问题", "problems"), ("machine", "机器号", "machine"),
)  # fmt: skip
_TABLE: tuple[listing.Heading, ...] = (
    ("school", "学校", "school"), ("room", "教室", "room"), ("machine", "电脑", "PC"),
    ("problems", "问题", "problems"),
)  # fmt: skip

_ID = re.compile("[0-9a-fA-F]{32}", re.ASCII)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with what it needs."""
    actions = parser.add_subparsers(required=True, metavar=say("操作", "ACTION"))
    _list(actions.add_parser("list", help=say("列出电脑和问题", "list PCs and problems")))
    for act, zh, en, target in (
        ("bind", "把电脑绑定到教室", "bind a PC to a room", "room"),
        ("retire", "电脑报废", "mark a PC as scrapped", ""),
        ("merge", "两个机器号是同一台（换过主板）", "two ids are one PC (new mainboard)", "into"),
        ("forget", "撤销对这台电脑的处理", "undo bind, retire or merge of a PC", ""),
    ):
        sub = actions.add_parser(act, help=say(zh, en), description=say(zh, en))
        _one(sub, act, target)
    apply = actions.add_parser(
        "apply", help=say("从一张 CSV 表批量处理", "apply many from a CSV file")
    )
    columns = say("、", ", ").join(column.heading for column in DECISIONS.columns)
    text = say(f"列：{columns}", f"columns: {columns}")
    apply.add_argument("--csv", metavar="FILE", type=Path, required=True, help=text)
    config_argument(apply)
    apply.set_defaults(action=_run_apply)


def run(args: argparse.Namespace) -> int:
    """Do what the sub-command says."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)


def _list(parser: argparse.ArgumentParser) -> None:
    listing.add_arguments(parser)
    text = say("只列没有绑定教室的", "only PCs not bound to a room")
    parser.add_argument("--unbound", action="store_true", help=text)
    text = say("只列有问题的", "only PCs with problems")
    parser.add_argument("--problems", action="store_true", help=text)
    parser.set_defaults(action=_run_list)


def _one(parser: argparse.ArgumentParser, act: str, target: str) -> None:
    parser.add_argument(
        "--school", required=True, help=say("学校标识码", "school code (10 digits)")
    )
    text = say(
        "机器号，或主机名（可含 *），可写多个", "ids, or host names that may hold *; several"
    )
    parser.add_argument("--machine", nargs="+", required=True, metavar="MACHINE", help=text)
    if target:
        text = say("教室编号", "room id")
        if target != "room":
            text = say("保留的机器号", "machine id to keep")
        parser.add_argument(f"--{target}", dest="target", required=True, help=text)
    config_argument(parser)
    parser.set_defaults(action=_run_one, act=act, target="")


def _run_list(args: argparse.Namespace) -> int:
    with opened(args) as at:
        today = local_day(at.now_ms / 1000)
        found = machines.load(at.store, at.register, today, args.school)
    if args.unbound:
        found = [pc for pc in found if not pc.bound_by]
    if args.problems:
        found = [pc for pc in found if pc.problems]
    sheet, table = listing.View(_SHEET, _said), listing.View(_TABLE, _brief)
    listing.show(args, [pc._asdict() for pc in found], sheet, table)
    return DONE


def _said(row: listing.Row) -> listing.Row:
    known = {
        "decision": say("处理", "decision"), "id": say("台账机器号", "sheet, by id"),
        "name": say("台账主机名", "sheet, by name"), "config": say("本机配置", "its config"),
        "retired": say("已报废", "retired"), "merged": say("已合并", "merged"),
    }  # fmt: skip
    return {**row, "bound_by": known.get(str(row["bound_by"]), "")}


def _brief(row: listing.Row) -> listing.Row:
    """The id stands below the name, to copy it for `bind`."""
    told = _said(row)
    return {
        **told,
        "room": listing.below(row["room"], told["bound_by"]),
        "machine": listing.below(
            f"{row['hostname']} {listing.short(row['last_ms'])}".strip(), row["machine"]
        ),
    }


def _run_one(args: argparse.Namespace) -> int:
    names = ("school", "machine", "act", "target")
    rows = [
        (number, [args.school, machine, args.act, args.target])
        for number, machine in enumerate(_meant(args), 2)
    ]
    headings = [DECISIONS.column(name).heading for name in names]
    *problems, table = parse(DECISIONS, "machines", [(1, headings), *rows])
    return _decide(args, table, list(problems), typed=True)


def _meant(args: argparse.Namespace) -> list[str]:
    """The ids of the PCs that were named, by id or by host name; what is neither stays.

    Raises:
        RefusedError: a pattern fits no PC of the school.
    """
    names = [word for word in args.machine if not _ID.fullmatch(word)]
    if not names:
        return list(dict.fromkeys(args.machine))
    with opened(args) as at:
        pcs = machines.load(at.store, at.register, local_day(at.now_ms / 1000), args.school)
    found: list[str] = []
    for word in args.machine:
        fits = [pc.machine for pc in pcs if fnmatch.fnmatchcase(pc.hostname.lower(), word.lower())]
        found += [word] if word not in names or not (fits or "*" in word) else fits
        if "*" in word and not fits:
            raise RefusedError(
                say(
                    f"{args.school} 没有主机名为 {word} 的电脑（近 {machines.DAYS} 天）；"
                    "看 schoolpulse machines list",
                    f"no PC of {args.school} is called {word} (last {machines.DAYS} days); "
                    "see schoolpulse machines list",
                )
            )
    return list(dict.fromkeys(found))


def _run_apply(args: argparse.Namespace) -> int:
    table, problems = read_table(DECISIONS, args.csv)
    return _decide(args, table, problems, typed=False)


def _unknown(settings: Config, register: Register, table: Table) -> Iterator[Problem]:
    """Warnings about PCs that have not reported: a new PC, or a mistyped id."""
    try:
        with open_store(settings) as store:
            today = dt.datetime.now(CITY_TIME).date()
            schools = {record.values["school"] for record in table.records}
            known = {
                (pc.school, pc.machine)
                for school in sorted(schools)
                for pc in machines.load(store, register, today, school)
            }
    except StoreError as error:
        log.warning("machines_not_checked", reason=error)
        return
    for record in table.records:
        merge = record.get("act") == "merge"
        for name in ("machine", "target") if merge else ("machine",):
            if (record.get("school"), record.get(name)) not in known:
                wrong = say(
                    f"近 {machines.DAYS} 天没有报告过", f"has not reported for {machines.DAYS} days"
                )
                fix = say("核对机器号", "check the machine id")
                yield record.problem(name, wrong, fix, warning=True)


def _decide(args: argparse.Namespace, table: Table, problems: list[Problem], *, typed: bool) -> int:
    settings = load_config(args)
    book = RegisterBook(settings.folder / REGISTER_FILE)
    register = book.load()
    problems += decisions.check(table, register)
    if errors(problems):
        print_problems(without_rows(problems) if typed else problems)
        print(say("有错误，一条也没有记下", "there are errors, nothing was recorded"))
        return FAILED
    rows = decisions.decisions_of(table)
    around = decisions.circles([*register.decided.values(), *rows])
    if around:
        named = ", ".join(around)
        raise RefusedError(
            say(f"合并成了圈：{named}", f"these PCs are merged in a circle: {named}")
        )
    problems += _unknown(settings, register, table)
    print_problems(without_rows(problems) if typed else problems)
    book.decide(rows, who=this_user())
    print(
        say(
            f"已记下 {len(rows)} 条，一分钟内生效",
            f"{len(rows)} recorded, in force within a minute",
        )
    )
    return DONE

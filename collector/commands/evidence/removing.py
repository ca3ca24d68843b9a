"""`schoolpulse evidence remove`: take rows out of the store, with a copy and a record of it.

1. Count them; refuse where a frozen year has any; ask.
2. Write the removal and its rows' days down, and copy the rows to a file of line protocol.
3. Delete them, and the room days that rest on them; take simulated rows' marks off what remains.
4. Mark the days to be derived again.

Killed between, it can be run again: rows that are gone are not found any more, but their days are
written down.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sqlite3
import sys
import time
from contextlib import ExitStack, closing

from agent.common.command_line import DONE, FAILED, RefusedError, config_argument, json_argument
from agent.common.language import say
from collector.archive import lookup
from collector.commands.asking import agreed
from collector.commands.config_file import load_config
from collector.commands.evidence import work
from collector.commands.evidence.removals import FILE, Left, Removals
from collector.commands.evidence.selection import KEYS, Where, parse
from collector.commands.inspect.shared import Actions, by_argument
from collector.commands.tables import new_table, print_json, print_table, this_user
from collector.config import Config
from collector.store.base import Store, StoreError
from collector.store.factory import open_store


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("从数据库移除一所学校的数据", "remove rows of a school from the store")
    parser = actions.add_parser("remove", help=text, description=text)
    add = parser.add_argument
    add(
        "--school", required=True, metavar="CODE", help=say("学校标识码", "school code (10 digits)")
    )
    keys = " | ".join(f"{key}=…" for key in KEYS)
    text = say(
        f"条件，同时成立：{keys}（日期含首尾）", f"all must hold: {keys} (days, both included)"
    )
    add("--where", nargs="+", required=True, metavar="KEY=VALUE", help=text)
    add("--why", required=True, metavar="TEXT", help=say("为什么移除，会记下来", "why; kept"))
    add("--dry-run", action="store_true", help=say("只数，不移除", "only count"))
    add("--yes", action="store_true", help=say("不询问", "do not ask"))
    by_argument(parser)
    config_argument(parser)
    json_argument(parser)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    config = load_config(args)
    where, problems = parse(args.school, args.where)
    if not args.why.strip():
        problems.append(say("--why: 写明为什么移除", "--why: say why"))
    if problems:
        raise RefusedError("\n".join(problems))
    try:
        with ExitStack() as opened:
            return _remove(args, config, where, opened)
    except StoreError as error:
        text = say("数据库出错，再运行一次", "the store failed, run it again")
        print(f"{text}: {error}", file=sys.stderr)
        return FAILED
    except (sqlite3.Error, OSError) as error:
        raise RefusedError(f"{config.folder}: {error}") from error


def _remove(args: argparse.Namespace, config: Config, where: Where, opened: ExitStack) -> int:
    store = opened.enter_context(open_store(config))
    what = " ".join(args.where)
    left = [] if args.dry_run else _left(config, where, what)
    found = work.count(store, where, left)
    _refuse_frozen(config, where, found)
    marks = work.marks(store, where)
    if args.dry_run or not (found.rows or marks or left):
        return _told(args, found, say("没有移除任何东西", "nothing was removed"))
    _refuse_lasting(store)
    if not (args.yes or not (found.rows or marks)):
        _ask(where, found)
    removals = opened.enter_context(closing(Removals(config.folder / FILE)))
    copy = config.folder / "removed" / work.name_of(where, dt.datetime.now(dt.UTC))
    who = args.by or this_user()
    counts = found.rows | ({"marks": marks} if marks else {})
    begun = removals.begin(
        _now_ms(), who, args.why.strip(), where.school, what, counts, copy.name, found.days
    )
    work.copy(store, where, found, copy)
    work.delete(store, where, found)
    work.unmark(store, where)
    days = work.to_derive(store, config, where, found)
    work.mark(config, store, where.school, days)
    for one in (*(one.id for one in left), begun):
        removals.finish(one, _now_ms(), work.said(days))
    return _told(args, found, say(f"已移除；副本：{copy}", f"removed; copy: {copy}"))


def _left(config: Config, where: Where, what: str) -> list[Left]:
    """Earlier runs of the same removal that did not end."""
    if not (config.folder / FILE).exists():
        return []
    with closing(Removals(config.folder / FILE)) as removals:
        return removals.left(where.school, what)


def _refuse_frozen(config: Config, where: Where, found: work.Found) -> None:
    years = lookup.years(config, simulated=True)
    hit = sorted({day.year for day in found.days} & set(years))
    if hit:
        raise RefusedError(
            say(
                f"{where.school}: 其中有 {hit[0]} 年的数据，该年已冻结，不能移除；"
                f"用 from= 和 to= 避开，或更正后另出一版（schoolpulse freeze --reason）",
                f"{where.school}: some of these rows are of {hit[0]}, which is frozen: none is "
                "removed. Leave that year out by from= and to=; a correction of it is a new "
                "revision (schoolpulse freeze --reason)",
            )
        )


def _refuse_lasting(store: Store) -> None:
    if not store.limits.deletes:
        raise RefusedError(
            say(
                "这个数据库不能删除行（openGemini 没有 DELETE），什么也没有移除；"
                "要移除，先用 schoolpulse backup 和 restore 把数据移到 InfluxDB 或 SQLite",
                "this store cannot delete rows (openGemini has no DELETE): nothing was removed; to "
                "remove any, move the data to InfluxDB or SQLite by schoolpulse backup and restore",
            )
        )


def _ask(where: Where, found: work.Found) -> None:
    number = sum(found.rows.values())
    _table(found)
    answer = agreed(
        say(
            f"从数据库移除 {where.school} 的 {number} 行？会先写副本。",
            f"Remove {number} rows of {where.school} from the store? A copy is written first.",
        )
    )
    if answer is None:
        raise RefusedError(say("没有终端可以询问：加 --yes", "nobody to ask here: add --yes"))
    if not answer:
        raise RefusedError(say("没有移除任何东西", "nothing was removed"))


def _told(args: argparse.Namespace, found: work.Found, text: str) -> int:
    if args.json:
        days = [day.isoformat() for day in (min(found.days), max(found.days))] if found.days else []
        print_json({"rows": found.rows, "days": days, "said": text})
        return DONE
    _table(found)
    print(text)
    return DONE


def _table(found: work.Found) -> None:
    table = new_table(("数据", "measurement"), ("行数", "rows"))
    for name, count in found.rows.items():
        table.add_row(name, str(count))
    print_table(table)
    if found.days:
        print(f"{min(found.days)} – {max(found.days)}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

"""`schoolpulse quarantine list | show | replay`: messages that could not be read or stored."""

from __future__ import annotations

import argparse
import datetime as dt
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing

from agent.common.calendar import CITY_TIME
from agent.common.command_line import (
    DONE,
    FAILED,
    RefusedError,
    config_argument,
    json_argument,
)
from agent.common.language import say
from agent.wire import TopicError, parse_topic
from collector.commands.config_file import load_config
from collector.commands.tables import new_table, print_json, print_table
from collector.config import Config
from collector.ingest import Bounds, Noted, Stored, decode
from collector.roster.book import RegisterBook
from collector.roster.register import Register
from collector.service.pipeline.day_notes import note_of
from collector.service.pipeline.pending_days import FILE as DAYS_FILE
from collector.service.pipeline.pending_days import PendingDays
from collector.service.pipeline.quarantine import FILE, Quarantine, Row
from collector.service.pipeline.storer import marks_of
from collector.store.base import Point, RejectedError, Store, StoreError
from collector.store.factory import open_store

_SHOWN = 200  # rows that `list` prints without --all
_Numbered = tuple[int, Row]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with what it needs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar=say("操作", "ACTION"))
    listed = verbs.add_parser("list", help=say("列出隔离的报文", "list the messages in quarantine"))
    text = say("全部，不只最早的 200 条", "all, not only the oldest 200")
    listed.add_argument("--all", action="store_true", help=text)
    json_argument(listed)
    shown = verbs.add_parser("show", help=say("看一条的全文", "show one message in full"))
    shown.add_argument(
        "id", metavar="ID", type=int, help=say("list 给出的编号", "id, as list shows it")
    )
    again = verbs.add_parser(
        "replay",
        help=say(
            "修好以后重新入库，成功的移出隔离区",
            "store messages again after a fix; stored ones leave quarantine",
        ),
    )
    again.add_argument(
        "ids", type=int, nargs="*", metavar="ID", help=say("编号，默认全部", "ids, default: all")
    )
    for verb in (listed, shown, again):
        config_argument(verb)


def run(args: argparse.Namespace) -> int:
    """Do one of the three; 1 where something could not be replayed or there is no such id."""
    config = load_config(args)
    with closing(_open(config)) as quarantine:
        if args.verb == "list":
            return _list(quarantine, args)
        if args.verb == "show":
            return _show(quarantine, args.id)
        return _replay(config, quarantine, args.ids)


def _open(config: Config) -> Quarantine:
    path = config.folder / FILE
    if not path.exists():
        raise RefusedError(say(f"{path}: 还没有隔离区", f"{path}: no quarantine yet"))
    try:
        return Quarantine(path, config.quarantine_bytes)
    except (sqlite3.Error, OSError) as error:
        raise RefusedError(
            say(
                f"{path}: 隔离区不能用：{error}。检查权限；坏了就把它移走，从备份恢复",
                f"{path}: cannot be used: {error}. Check its permissions; if damaged, move it away "
                "and restore a backup",
            )
        ) from error


def _list(quarantine: Quarantine, args: argparse.Namespace) -> int:
    rows, size = quarantine.size()
    found = [one for at, one in enumerate(quarantine.numbered()) if args.all or at < _SHOWN]
    if args.json:
        print_json([_as_dict(*one) for one in found])
        return DONE
    table = new_table(
        ("编号", "id"), ("到达", "arrived"), ("学校", "school"), ("电脑", "PC"),
        ("报告", "report"), ("字节", "bytes"), ("原因", "reason"),
    )  # fmt: skip
    for id_, row in found:
        told = _as_dict(id_, row)
        names = ("id", "arrived", "school", "machine", "number", "bytes", "reason")
        table.add_row(*(str(told[name]) for name in names))
    print_table(table)
    print(say(f"共 {rows} 条，{size} 字节", f"{rows} messages, {size} bytes"))
    return DONE


def _as_dict(id_: int, row: Row) -> dict[str, object]:
    school = machine = ""
    number = 0
    try:
        place = parse_topic(row.topic)
        school, machine, number = place.school, place.machine, place.number
    except TopicError:
        school = row.topic[:60]
    arrived = dt.datetime.fromtimestamp(row.time / 1e9, CITY_TIME).isoformat(" ", "seconds")
    return {
        "id": id_, "arrived": arrived, "school": school, "machine": machine, "number": number,
        "bytes": len(row.payload), "reason": row.reason, "topic": row.topic,
    }  # fmt: skip


def _show(quarantine: Quarantine, wanted: int) -> int:
    row = next((row for id_, row in quarantine.numbered(wanted - 1) if id_ == wanted), None)
    if row is None:
        print(_unknown(wanted), file=sys.stderr)
        return FAILED
    for name, value in _as_dict(wanted, row).items():
        print(f"{name}: {value}")
    # An unreadable message may hold control codes: the terminal must not execute them.
    text = row.payload.decode("utf-8", "backslashreplace")
    print("".join(c if c.isprintable() else repr(c)[1:-1] for c in text))
    return DONE


def _replay(config: Config, quarantine: Quarantine, ids: Sequence[int]) -> int:
    """Each message by itself, so that one that fails leaves the others stored."""
    done, left, told = 0, 0, set(ids)
    with ExitStack() as opened:
        try:
            store = opened.enter_context(open_store(config))
            pending_days = opened.enter_context(closing(PendingDays(config.folder / DAYS_FILE)))
            register = RegisterBook(config.folder / "register.db").load()
            bounds = _bounds(config, register)
            for id_, row in _chosen(quarantine, ids):
                told.discard(id_)
                reason = _store(store, pending_days, row, register, bounds)
                if reason:
                    left += 1
                    print(f"{id_}: {reason}", file=sys.stderr)
                else:
                    done += 1
                    quarantine.remove([id_])
        except (StoreError, sqlite3.Error) as error:
            print(say(f"中断，可重来：{error}", f"stopped, run it again: {error}"), file=sys.stderr)
            left = quarantine.size()[0]
        else:
            for id_ in sorted(told):
                left += 1
                print(_unknown(id_), file=sys.stderr)
    print(say(f"入库 {done} 条，留下 {left} 条", f"{done} stored, {left} left"))
    return FAILED if left else DONE


def _unknown(id_: int) -> str:
    return say(f"没有编号 {id_}", f"no message {id_}")


def _chosen(quarantine: Quarantine, ids: Sequence[int]) -> Iterator[_Numbered]:
    wanted = set(ids)
    return ((id_, row) for id_, row in quarantine.numbered() if not wanted or id_ in wanted)


def _store(
    store: Store, pending_days: PendingDays, row: Row, register: Register, bounds: Bounds
) -> str:
    """Store one message; why it cannot be, empty when it is stored. It is receipted already."""
    outcome = decode(row.topic, row.payload, register.schools.__contains__, row.time, bounds)
    if not isinstance(outcome, Stored | Noted):
        return str(getattr(outcome, "reason", type(outcome).__name__))
    try:
        store.write([*outcome.points, *_note(outcome)])
    except RejectedError as error:
        return f"store: {error.reason}"
    if isinstance(outcome, Stored):
        pending_days.mark(marks_of([outcome]))
    return ""


def _bounds(config: Config, register: Register) -> Bounds:
    """As the collector's: what it would have held must not come in by this door."""
    lines = {school: {row.line for row in rows} for school, rows in register.lines_of.items()}
    return Bounds(lambda school: lines.get(school, ()), config.accept_simulated)


def _note(outcome: Stored | Noted) -> Iterator[Point]:
    """The day, for a keeper on another machine, which cannot see our marks."""
    if isinstance(outcome, Stored) and (marks := marks_of([outcome])):
        yield note_of(marks, time.time_ns())

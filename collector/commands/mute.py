"""`schoolpulse mute`: silence the alerts of a school under repair, until a day."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
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
from collector.commands.config_file import REGISTER_FILE, load_config
from collector.commands.dashboards import token_of
from collector.commands.tables import new_table, print_json, print_table, this_user
from collector.roster.book import RegisterBook, mutes
from collector.roster.book.mutes import Mute


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with what it needs."""
    actions = parser.add_subparsers(required=True, metavar=say("操作", "ACTION"))
    text = say("暂停一所学校的告警，到某天为止", "silence alerts for a school until a day")
    add = actions.add_parser("add", help=text, description=text)
    add.add_argument("school", metavar="SCHOOL", help=say("学校标识码", "school code (10 digits)"))
    text = say("到哪一天为止（含），如 2026-12-31", "last day (inclusive), such as 2026-12-31")
    add.add_argument("--until", required=True, type=_day, metavar="DATE", help=text)
    add.add_argument(
        "--reason",
        required=True,
        help=say("原因，会显示在列表和 Grafana 里", "why; shown in the list and in Grafana"),
    )
    _common(add, _add)
    end = actions.add_parser("end", help=say("提前恢复告警", "end a silence early"))
    end.add_argument("school", metavar="SCHOOL", help=say("学校标识码", "school code (10 digits)"))
    _common(end, _end)
    show = actions.add_parser("list", help=say("列出暂停告警的学校", "list silenced schools"))
    json_argument(show)
    _common(show, _list)


def run(args: argparse.Namespace) -> int:
    """Do what the sub-command says."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)


def _common(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], int]) -> None:
    config_argument(parser)
    text = say("同时更新这个 Grafana", "also update this Grafana")
    parser.add_argument("--url", metavar="http://…:3000", help=text)
    text = say("它的服务账号令牌", "token of a Grafana service account")
    parser.add_argument("--token", help=text)
    parser.set_defaults(action=action)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        wrong = say(
            f"{text} 不是日期，要写成 2026-12-31", f"{text} is not a date, write it like 2026-12-31"
        )
        raise argparse.ArgumentTypeError(wrong) from error


def _add(args: argparse.Namespace) -> int:
    path, now = _path(args), dt.datetime.now(CITY_TIME)
    if args.school not in RegisterBook(path).load().schools:
        raise RefusedError(
            say(f"台账里没有学校 {args.school}", f"no school {args.school} in the register")
        )
    if args.until < now.date():
        raise RefusedError(say(f"{args.until} 已经过去", f"{args.until} is in the past"))
    mutes.set_mute(path, Mute(args.school, args.until, args.reason, this_user()), now)
    print(
        say(
            f"{args.school}：到 {args.until} 为止暂停告警（{args.reason}）",
            f"{args.school}: alerts silenced until {args.until} ({args.reason})",
        )
    )
    return _update_grafana(args, path, now)


def _end(args: argparse.Namespace) -> int:
    path, now = _path(args), dt.datetime.now(CITY_TIME)
    if not mutes.end_mute(path, args.school):
        print(say(f"{args.school} 没有暂停告警", f"{args.school} is not silenced"))
        return FAILED
    print(say(f"{args.school}：恢复告警", f"{args.school}: alerts are on again"))
    return _update_grafana(args, path, now)


def _list(args: argparse.Namespace) -> int:
    path, now = _path(args), dt.datetime.now(CITY_TIME)
    found = mutes.mutes(path, now.date())
    if args.json:
        print_json([asdict(mute) for mute in found])
    else:
        titles = (("学校", "school"), ("到", "until"), ("原因", "reason"), ("谁", "by"))
        table = new_table(*titles)
        for mute in found:
            table.add_row(mute.school, mute.until.isoformat(), mute.reason, mute.by)
        print_table(table)
    return _update_grafana(args, path, now) if args.url else DONE


def _update_grafana(args: argparse.Namespace, path: Path, now: dt.datetime) -> int:
    """Set Grafana's silences to the book's; without an address, say how to."""
    if not args.url:
        print(
            say(
                "Grafana 还不知道：加 --url，或运行 schoolpulse mute list --url …",
                "Grafana is not updated yet: add --url, or run schoolpulse mute list --url …",
            )
        )
        return DONE
    # Imported on use: the other commands do not need requests.
    from collector.grafana import silences
    from collector.grafana.client import Grafana

    grafana = Grafana(args.url, token_of(args))
    grafana.check()
    fresh, gone = silences.update(grafana, mutes.mutes(path, now.date()), now)
    print(
        say(f"Grafana：静默 {fresh}，解除 {gone}", f"Grafana: {fresh} silences set, {gone} removed")
    )
    return DONE


def _path(args: argparse.Namespace) -> Path:
    return load_config(args).folder / REGISTER_FILE

"""`schoolpulse policy`: how lines are tested and PCs report, by city, district, school and line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from agent.common.command_line import DONE, RefusedError, config_argument, json_argument
from agent.common.language import say
from collector.commands.config_file import REGISTER_FILE, load_config
from collector.commands.tables import console, new_table, print_json, this_user
from collector.config import Config
from collector.roster import policy
from collector.roster.book import RegisterBook
from collector.roster.layers import NAMES, OF_SCHOOL, Layer
from collector.roster.policy import Value
from collector.roster.register import Line, Register
from collector.service.policies import defaults, values


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with what it needs."""
    actions = parser.add_subparsers(required=True, metavar=say("操作", "ACTION"))
    show = actions.add_parser(
        "show",
        help=say("列出生效的值，各由哪一级设置", "show the values in force and who set them"),
    )
    show.add_argument(
        "school",
        nargs="?",
        default="",
        metavar="SCHOOL",
        help=say("学校标识码；不写则列出全市的设置", "school code (10 digits); default: the city"),
    )
    _common(show, _run_show)
    for name, action, zh, en in (
        (
            "set",
            _run_set,
            "设置一个范围的值（空值为取消设置）",
            "set values for a scope (empty value: unset)",
        ),
        (
            "diff",
            _run_diff,
            "列出 set 会改变什么，不保存",
            "show what set would change; saves nothing",
        ),
    ):
        parser = actions.add_parser(name, help=say(zh, en), description=say(zh, en))
        scope = "city | district:CODE | school:CODE | line:CODE/NAME"
        parser.add_argument("scope", metavar="SCOPE", help=scope)
        parser.add_argument("pairs", nargs="+", metavar="KEY=VALUE", help=", ".join(NAMES))
        _common(parser, action)


def run(args: argparse.Namespace) -> int:
    """Do what the sub-command says."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)


def _common(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], int]) -> None:
    config_argument(parser)
    json_argument(parser)
    parser.set_defaults(action=action)


class _Open(NamedTuple):
    config: Config
    book: RegisterBook
    register: Register


def _open(args: argparse.Namespace) -> _Open:
    config = load_config(args)
    book = RegisterBook(config.folder / REGISTER_FILE)
    return _Open(config, book, book.load())


def _run_show(args: argparse.Namespace) -> int:
    here = _open(args)
    if args.school and args.school not in here.register.schools:
        text = say("台账中没有学校", "no such school in the register:")
        raise RefusedError(f"{text} {args.school}")
    rows = _of_school(here, args.school) if args.school else _of_city(here)
    if args.json:
        print_json([_as_json(row) for row in rows])
        return DONE
    table = new_table(("范围", "scope"), ("键", "key"), ("值", "value"), ("由谁设", "set by"))
    for row in rows:
        scope = say("默认", "default") if row.value.scope == "default" else row.value.scope
        table.add_row(row.where, row.key, _text(row.value.value), scope)
    console().print(table)
    return DONE


class _Row(NamedTuple):
    where: str
    key: str
    value: Value


def _as_json(row: _Row) -> dict[str, Any]:
    return {"where": row.where, "key": row.key, "value": row.value.value, "set_by": row.value.scope}


def _of_city(here: _Open) -> list[_Row]:
    """The city's values, then what each narrower scope sets."""
    rows = [
        _Row("city", key, value)
        for key, value in policy.merged(here.register.policies, ["city"], _defaults(here)).items()
    ]
    for scope, layer in here.register.policies.items():
        if scope != "city":
            rows += [
                _Row(scope, key, Value(value, scope))
                for key, value in msgspec.to_builtins(layer).items()
            ]
    return rows


def _defaults(here: _Open) -> dict[str, Any]:
    return defaults(here.config)


def _of_school(here: _Open, school: str) -> list[_Row]:
    return [
        _Row(where, key, value)
        for where, line in _places(here.register, school)
        for key, value in values(here.register, here.config, school, line).items()
    ]


def _places(register: Register, school: str) -> Iterator[tuple[str, Line | None]]:
    """A school's lines; the school itself where it has none."""
    lines = register.lines_of.get(school, [])
    for line in lines:
        yield f"{school}/{line.line}", line
    if not lines:
        yield school, None


def _wanted(here: _Open, args: argparse.Namespace) -> Layer:
    """The scope's layer as it would be.

    Raises:
        RefusedError: with every fault; what was set before stays.
    """
    given, problems = policy.parse(args.pairs)
    problems = policy.check_scope(args.scope, here.register) + problems
    if args.scope.startswith("line:"):
        problems += [
            say(f"{name} 按学校设，不按线路", f"{name} is set by school, not by line")
            for name in OF_SCHOOL
            if given.get(name)
        ]
    if problems:
        head = say(
            "没有保存，原来的仍然生效：", "nothing saved, the previous values stay in force:"
        )
        raise RefusedError("\n  ".join([head, *problems]))
    before = msgspec.to_builtins(here.register.policies.get(args.scope, Layer()))
    kept = {key: value for key, value in {**before, **given}.items() if value is not None}
    return policy.convert(kept)


def _run_set(args: argparse.Namespace) -> int:
    here = _open(args)
    layer = _wanted(here, args)
    changes = _changes(here, args.scope, layer)
    here.book.set_policy(args.scope, layer, who=this_user())
    return _print_changes(args, changes, say("已保存", "saved"))


def _run_diff(args: argparse.Namespace) -> int:
    here = _open(args)
    changes = _changes(here, args.scope, _wanted(here, args))
    return _print_changes(args, changes, say("没有保存", "nothing saved"))


class _Change(NamedTuple):
    where: str
    key: str
    before: Any
    after: Any


def _changes(here: _Open, scope: str, layer: Layer) -> list[_Change]:
    """The values that would change for each school and line."""
    register = here.register
    new = replace(register, policies={**register.policies, scope: layer})
    found = []
    for school in register.schools:
        for where, line in _places(register, school):
            before = values(register, here.config, school, line)
            after = values(new, here.config, school, line)
            found += [
                _Change(where, key, before[key].value, after[key].value)
                for key in NAMES
                if before[key].value != after[key].value
            ]
    return found


def _print_changes(args: argparse.Namespace, changes: Sequence[_Change], done: str) -> int:
    if args.json:
        print_json([change._asdict() for change in changes])
        return DONE
    table = new_table(("对象", "where"), ("键", "key"), ("原来", "before"), ("现在", "after"))
    for change in changes:
        table.add_row(change.where, change.key, _text(change.before), _text(change.after))
    if changes:
        console().print(table)
    count = len(changes)
    print(say(f"{done}；改变 {count} 处", f"{done}; {count} values change"))
    return DONE


def _text(value: Any) -> str:
    return "—" if value is None or value == "" else str(value)

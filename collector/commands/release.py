"""`schoolpulse release`: new versions of the agent, handed out in stages."""

from __future__ import annotations

import argparse
import datetime as dt
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.common.calendar import start_of
from agent.common.command_line import DONE, RefusedError, config_argument
from agent.common.language import say
from agent.wire.release import numbers
from collector.commands import listing, release_status
from collector.commands.config_file import REGISTER_FILE, load_config
from collector.config import Config
from collector.release import key, shelf
from collector.release.book import FILE, ReleaseBook
from collector.roster.book import RegisterBook

Action = Callable[[argparse.Namespace], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with what it needs."""
    actions = parser.add_subparsers(required=True, metavar=say("操作", "ACTION"))
    made = _action(actions, "key", _key, "生成发布密钥，显示公钥", "make the release key, show it")
    _key_argument(made)
    text = say("代替本市原来的发布密钥", "in place of the city's former release key")
    made.add_argument("--replace", action="store_true", help=text)
    add = _action(actions, "add", _add, "登记一个版本的文件", "add a file of a version")
    text = say("setup.exe 或离线安装包", "setup.exe or the offline bundle")
    add.add_argument("file", type=Path, metavar="FILE", help=text)
    text = say("版本号", "its version")
    add.add_argument("--version", required=True, metavar="X", help=text)
    text = say("这一天以前不装", "not installed before this day")
    add.add_argument("--not-before", type=dt.date.fromisoformat, metavar="DATE", help=text)
    _key_argument(add)
    stage = _action(actions, "stage", _stage, "下发一个版本", "hand a version out")
    stage.add_argument("version", metavar="VERSION", help=say("版本号", "the version"))
    text = say("只给这些学校", "only to these schools")
    stage.add_argument("--schools", nargs="+", default=[], metavar="CODE", help=text)
    share = stage.add_mutually_exclusive_group()
    text = say("电脑的百分之几", "this share of the PCs")
    share.add_argument("--percent", type=int, choices=range(1, 101), metavar="1-100", help=text)
    share.add_argument("--all", action="store_true", help=say("全部电脑", "all PCs"))
    withdraw = _action(
        actions, "withdraw", _withdraw, "撤回一个版本", "withdraw a version for ever"
    )
    withdraw.add_argument("version", metavar="VERSION", help=say("版本号", "the version"))
    withdraw.add_argument("--why", required=True, help=say("原因，留下记录", "why, for the record"))
    _key_argument(withdraw)
    for name, action, zh, en in (
        ("list", release_status.versions, "列出各版本", "list the versions"),
        ("status", release_status.stages, "各批进展，谁没有回来", "stages, and who is not back"),
    ):
        shown = actions.add_parser(name, help=say(zh, en), description=say(zh, en))
        listing.add_arguments(shown)
        text = say("逐台列出", "list PC by PC")
        if name == "status":
            shown.add_argument("--pcs", action="store_true", help=text)
        shown.set_defaults(action=_reading(action))


def run(args: argparse.Namespace) -> int:
    """Do what the sub-command says."""
    action: Action = args.action
    return action(args)


def _action(actions: Any, name: str, action: Action, zh: str, en: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = actions.add_parser(
        name, help=say(zh, en), description=say(zh, en)
    )
    config_argument(made)
    made.set_defaults(action=action)
    return made


def _key_argument(parser: argparse.ArgumentParser) -> None:
    text = say(
        f"发布密钥文件（默认数据文件夹里的 {key.FILE}）",
        f"the release key's file (default: {key.FILE} in the data folder)",
    )
    parser.add_argument("--key", type=Path, metavar="FILE", help=text)


def _reading(action: Callable[[argparse.Namespace, ReleaseBook, Config], int]) -> Action:
    def with_book(args: argparse.Namespace) -> int:
        config = load_config(args)
        with _book(config) as book:
            return action(args, book, config)

    return with_book


@contextmanager
def _book(config: Config) -> Iterator[ReleaseBook]:
    path = config.folder / FILE
    try:
        book = ReleaseBook(path)
        try:
            yield book
        finally:
            book.close()
    except (sqlite3.Error, OSError) as error:
        raise RefusedError(
            say(f"{path}: 读写不了：{error}", f"{path}: cannot be used: {error}")
        ) from error


def _key(args: argparse.Namespace) -> int:
    config = load_config(args)
    file, public = _key_file(args, config), key.known(config.folder)
    if args.key or args.replace or not public:  # else it may live elsewhere: no second one is made
        public = key.make(file)
        key.remember(config.folder, file, instead=args.replace)
    print(say("写进电脑的 agent.toml：", "for the PCs' agent.toml:"))
    print(key.settings_row(public), end="")
    return DONE


def _add(args: argparse.Namespace) -> int:
    config, version = load_config(args), _version(args.version)
    key.remember(config.folder, _key_file(args, config))  # refused before anything is copied
    with _book(config) as book:
        _refuse_withdrawn(book, version)
        not_before = int(start_of(args.not_before).timestamp() * 1000) if args.not_before else 0
        found = shelf.put(config.folder / shelf.FOLDER, args.file, version, not_before)
        book.add(found)
        _publish(args, config, book)
    print(f"{found.version} {found.platform} {found.size} {found.sha256}")
    return DONE


def _stage(args: argparse.Namespace) -> int:
    config = load_config(args)
    if not (args.schools or args.percent or args.all):
        text = say("给谁？--schools、--percent 或 --all", "to whom? --schools, --percent or --all")
        raise RefusedError(text)
    with _book(config) as book:
        version = _known(book, args.version)
        _refuse_withdrawn(book, version)
        _check_schools(config, args.schools)
        book.stage(version, args.schools, args.percent or 100, _now_ms())
    print(say(f"{version} 已下发", f"{version} is handed out"))
    return DONE


def _withdraw(args: argparse.Namespace) -> int:
    config = load_config(args)
    with _book(config) as book:
        version = _known(book, args.version)
        book.withdraw(version, args.why, _now_ms())
        try:
            _publish(args, config, book)
        except RefusedError as error:
            raise RefusedError(
                say(
                    f"{version} 不再下发，但清单还没有重新签名：{error}",
                    f"{version} is offered no more, but the manifest is not signed anew: {error}",
                )
            ) from error
    print(say(f"{version} 已撤回", f"{version} is withdrawn"))
    return DONE


def _publish(args: argparse.Namespace, config: Config, book: ReleaseBook) -> None:
    file = _key_file(args, config)
    key.remember(config.folder, file)
    signed = key.sign(file, book.next_manifest())
    shelf.publish(config.folder / shelf.FOLDER, signed)


def _key_file(args: argparse.Namespace, config: Config) -> Path:
    return args.key or config.folder / key.FILE


def _version(text: str) -> str:
    try:
        numbers(text)
    except ValueError as error:
        raise RefusedError(
            say(f"{text!r} 不是版本号，应如 0.3.1", f"{text!r} is no version, such as 0.3.1")
        ) from error
    return text


def _known(book: ReleaseBook, text: str) -> str:
    wanted = numbers(_version(text))
    found = {one.version for one in book.files() if numbers(one.version) == wanted}
    if found:
        return found.pop()
    known = ", ".join(sorted({one.version for one in book.files()})) or "—"
    raise RefusedError(
        say(f"没有版本 {text}；已登记：{known}", f"no version {text}; there are: {known}")
    )


def _refuse_withdrawn(book: ReleaseBook, version: str) -> None:
    for gone, why in book.withdrawn().items():
        if numbers(gone) == numbers(version):
            raise RefusedError(
                say(
                    f"{version} 已撤回（{why}），不能再用；换一个更大的版本号",
                    f"{version} was withdrawn ({why}) for ever: use a higher version",
                )
            )


def _check_schools(config: Config, schools: list[str]) -> None:
    known = RegisterBook(config.folder / REGISTER_FILE).load().schools if schools else {}
    unknown = [school for school in schools if school not in known]
    if unknown:
        text = say("台账中没有学校", "no such school in the register:")
        raise RefusedError(f"{text} {', '.join(unknown)}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

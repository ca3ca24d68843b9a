"""`schoolpulse lineserver`: the city's measurement server, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import sqlite3
from contextlib import ExitStack
from pathlib import Path

from agent.common import log
from agent.common.command_line import DONE, RefusedError, config_argument
from agent.common.language import say
from agent.common.lock import Lock
from collector.addresses import is_local
from collector.commands import lineserver_status
from collector.commands.serving import begun, until_told
from collector.config import Config
from collector.lineserver import keys
from collector.lineserver.book import TurnBook
from collector.lineserver.ledger import Ledger
from collector.lineserver.limits import PolicyLimits, explained, nothing_published
from collector.lineserver.lines import PublishedLines
from collector.lineserver.publish import Publisher
from collector.lineserver.server import CannotListenError, LineServer
from collector.release.shelf import FOLDER as SHELF

DEFAULT_PORT = 8095


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen, and the settings of broker and data folder."""
    listen = say("监听地址（默认 0.0.0.0）", "address to listen on (default: 0.0.0.0)")
    parser.add_argument("--host", default="0.0.0.0", metavar="ADDRESS", help=listen)  # noqa: S104
    parser.add_argument(
        "--port",
        type=int,
        default=DEFAULT_PORT,
        help=say(
            f"端口，0 为任意空闲端口（默认 {DEFAULT_PORT}）",
            f"port, 0 for any free one (default: {DEFAULT_PORT})",
        ),
    )
    config_argument(parser)
    parser.add_argument(
        "--new-key",
        metavar="SCHOOL",
        help=say("为一所学校生成密钥文件，然后退出", "generate a school's key file, then exit"),
    )
    parser.add_argument(
        "--open",
        action="store_true",
        help=say("没有密钥也接受任何人的测试", "accept tests from anyone, without keys"),
    )
    parser.add_argument(
        "--status",
        action="store_true",
        help=say(
            "显示本机运行中的测速服务器：计数，各校被拒绝的次数和原因",
            "show the server that runs on this machine: counts, refusals by school and reason",
        ),
    )
    parser.add_argument(
        "--simulated",
        action="store_true",
        help=say("把记录标为模拟数据", "mark the records as simulated"),
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C. 0: stopped; 2: refused before anything started."""
    config = begun(args.config)
    if args.status:
        return lineserver_status.show(args.host, args.port)
    if args.new_key:
        return _new_key(config, args.new_key)
    stop = until_told()
    with ExitStack() as opened:
        publisher, server = _open(config, args, opened)
        publisher.start()
        opened.callback(publisher.stop)
        server.start()
        opened.callback(server.stop)  # before the publisher: tests that run still get records
        where = f"http://{args.host}:{server.port}"
        print(say(f"测速服务器在 {where}", f"measurement server on {where}"), flush=True)
        stop.wait()
    return DONE


def _new_key(config: Config, school: str) -> int:
    if not config.lines.keys:
        raise RefusedError(
            say(
                "没有配置密钥文件夹：在 collector.toml 的 [lines] 里设 keys",
                "no key folder configured: set keys in [lines] of collector.toml",
            )
        )
    path = keys.make(Path(config.lines.keys), school)
    print(
        say(
            f"{path}\n把它交给这所学校的电脑，并在那里设 line.key_file",
            f"{path}\ncopy it to that school's PCs, and set line.key_file there",
        )
    )
    return DONE


def _open(
    config: Config, args: argparse.Namespace, opened: ExitStack
) -> tuple[Publisher, LineServer]:
    """Everything that can refuse, before anything starts."""
    config.mqtt.secret()
    folder = config.folder / "lineserver"
    held = _keys(config, args)
    try:
        # Two servers must not send from one outbox.
        opened.callback(Lock(folder / "lock", say("测速服务器", "measurement server")).release)
        publisher = Publisher(config.mqtt, folder, simulated=args.simulated)
        book = TurnBook(folder / "turns.db")
        opened.callback(book.close)
        ledger = Ledger(publisher.publish, book, _limits(config, held, folder, opened))
        shelf = config.folder / SHELF
        return publisher, LineServer(
            args.host, args.port, publisher.publish, ledger, held, shelf=shelf
        )
    except CannotListenError as error:
        raise RefusedError(str(error)) from error
    except (OSError, sqlite3.Error) as error:
        raise RefusedError(
            say(
                f"{folder}：打不开数据或证书：{error}；检查 data 与 mqtt 的设置",
                f"{folder}: cannot open data or certificates: {error}; check data and mqtt",
            )
        ) from error


def _limits(config: Config, held: keys.Keys, folder: Path, opened: ExitStack) -> PolicyLimits:
    """The lines by the register where it is here, else by the policies of the broker."""
    if not held.required:
        return PolicyLimits(config, nothing_published, any_line=True)
    published = PublishedLines(config.mqtt, folder / "lines.db", config.lines.by_hand_per_day)
    limits = PolicyLimits(config, published)
    if not limits.has_register:
        if not published.known:
            log.warning("no_lines", text=explained("no_lines"))
        published.start()
    opened.callback(published.stop)
    return limits


def _keys(config: Config, args: argparse.Namespace) -> keys.Keys:
    """The schools' keys. A server that others can reach must not serve just anyone."""
    if config.lines.keys:
        return keys.Keys(Path(config.lines.keys))
    if args.open or is_local(args.host):
        return keys.Keys(None)
    raise RefusedError(
        say(
            "没有配置密钥文件夹，任何人都能占用测速服务器：在 collector.toml 的 [lines] 里设 keys"
            "（--new-key 生成密钥），"
            "或只监听 127.0.0.1，或明确写 --open",
            "no key folder configured, so anyone could use this server: set keys in [lines] of "
            "collector.toml (--new-key generates a key), listen on 127.0.0.1 only, or use --open",
        )
    )

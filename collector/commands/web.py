"""`schoolpulse web`: the pages of a city, read only, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import getpass
import sys
import threading
from pathlib import Path

import msgspec

from agent.common.command_line import DONE, RefusedError, config_argument
from agent.common.language import say
from collector.commands.serving import begun, until_told
from collector.config import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen, and the making of a password."""
    config_argument(parser)
    text = say("监听 地址:端口（默认取 [web] address）", "address:port (default: [web] address)")
    parser.add_argument("--address", metavar="HOST:PORT", help=text)
    text = say("只换端口", "change the port only")
    parser.add_argument("--port", type=int, metavar="N", help=text)
    text = say(
        "问一个密码，写进密码文件，然后退出", "ask for a password, write the file, then exit"
    )
    parser.add_argument("--new-password", action="store_true", help=text)
    text = say("--new-password：用户名（默认 admin）", "--new-password: the user (default: admin)")
    parser.add_argument("--user", default="admin", metavar="NAME", help=text)
    text = say(
        "--new-password：只看这个区县（6 位代码，默认 * 全市）",
        "--new-password: sees this district only (6 digits; default: *, the whole city)",
    )
    parser.add_argument("--district", default="*", metavar="CODE", help=text)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C. 0: stopped; 2: refused before anything started."""
    config = begun(args.config)
    if args.new_password:
        return _new_password(config, args)
    return _serve(_addressed(config, args), args.config)


def _addressed(config: Config, args: argparse.Namespace) -> Config:
    address = args.address or config.web.address
    if args.port is not None:
        address = f"{address.rpartition(':')[0]}:{args.port}"
    return msgspec.structs.replace(config, web=msgspec.structs.replace(config.web, address=address))


def _serve(config: Config, file: str | None) -> int:
    from collector.web import server

    stop = until_told()
    with server.opened(config, file) as app:
        pages = server.Server(app, config.web.address)
        threading.Thread(target=pages.serve, name="web", daemon=True).start()
        where = f"http://{config.web.address.rpartition(':')[0]}:{pages.port}"
        print(say(f"页面在 {where}", f"pages on {where}"), flush=True)
        stop.wait()
        pages.stop()
    return DONE


def _new_password(config: Config, args: argparse.Namespace) -> int:
    from collector.web import passwords

    path = Path(config.web.password_file or config.folder / "web.password")
    try:
        passwords.add(path, args.user, args.district, _asked())
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}") from error
    print(say(f"{path}：已写入用户 {args.user}", f"{path}: user {args.user} written"))
    if not config.web.password_file:
        line = f'[web]\npassword_file = "{path}"'
        print(say(f"在 collector.toml 里写上：\n{line}", f"put into collector.toml:\n{line}"))
    return DONE


def _asked() -> str:
    """Twice from a terminal, else the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass(say("新密码：", "new password: "))
    if first != getpass.getpass(say("再输一次：", "once more: ")):
        raise RefusedError(say("两次不一样，没有改动", "they differ; nothing was changed"))
    return first

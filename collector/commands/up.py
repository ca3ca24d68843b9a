"""`schoolpulse up`: everything on this machine with its pages, until Ctrl-C."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from pathlib import Path

from agent.common.command_line import DONE, FAILED, RefusedError
from agent.common.language import say
from collector.commands.tables import plain_console
from collector.config import load
from collector.demo.children import DemoError
from collector.demo.up import Asked, up
from collector.roster.book.file import BookError
from collector.roster.sheets.values import parse_code, parse_name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the pages listen, where the data is, and whether the city is invented."""
    text = say(
        "加一座虚构的示例城市，每页带水印", "add an invented city; every page is watermarked"
    )
    parser.add_argument("--sample", action="store_true", help=text)
    text = say("页面的端口（默认 8080，只在本机）", "port of the pages (8080, this machine only)")
    parser.add_argument("--port", type=int, default=8080, metavar="N", help=text)
    text = say(
        "数据文件夹（默认：数据目录里的 up，示例城市是 up-sample）",
        "data folder (default: up in the data folder, with --sample up-sample)",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help=text)
    text = say(
        "本机所在的学校（标识码和名称；不给：一所示例学校）",
        "this machine's school (default: an example school)",
    )
    parser.add_argument("--school", nargs=2, metavar=("CODE", "NAME"), help=text)
    text = say("用哪个消息服务", "which broker to use")
    parser.add_argument("--broker", choices=("mosquitto", "amqtt"), help=text)


def run(args: argparse.Namespace) -> int:
    """Run until Ctrl-C, which is its ordinary end; 1 where a part could not start, or died."""
    school = _school(args)
    folder = args.data or load(None)[0].folder / ("up-sample" if args.sample else "up")
    console = plain_console()
    try:
        up(Asked(folder, args.port, args.sample, args.broker, school), console)
    except KeyboardInterrupt:
        return DONE
    except (DemoError, BookError, OSError, sqlite3.Error) as error:
        print(say(f"没有运行起来：{error}", f"it does not run: {error}"), file=sys.stderr)
        return FAILED
    return DONE


def _school(args: argparse.Namespace) -> tuple[str, str] | None:
    if args.school is None:
        return None
    if args.sample:
        problem = say("--school 不能和 --sample 一起用", "--school does not go with --sample")
        raise RefusedError(problem)
    code, name = args.school
    try:
        return parse_code(code), parse_name(name)
    except ValueError as error:
        raise RefusedError(f"--school {code} {name}: {error}") from error

"""`schoolpulse demo`: everything once on this machine, with a simulated city beside it."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from pathlib import Path

from rich.console import Console

from agent.common.command_line import DONE, FAILED
from agent.common.language import say
from collector.commands.simulate import positive
from collector.demo.children import DemoError
from collector.demo.run import Sizes, demo
from collector.store.base import StoreError

_WIDTH = 80  # of a pipe, which has none


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and with which broker."""
    text = say(
        "写到哪个文件夹（./var/demo，每次清空）", "output folder (./var/demo, emptied on each run)"
    )
    parser.add_argument("--out", metavar="DIR", type=Path, default=Path("var/demo"), help=text)
    text = say("用哪个消息服务", "which broker to use")
    parser.add_argument("--broker", choices=("mosquitto", "amqtt"), help=text)
    text = say("模拟多少所学校", "number of schools to simulate")
    parser.add_argument("--schools", metavar="N", type=positive, default=Sizes().schools, help=text)


def run(args: argparse.Namespace) -> int:
    """Run the demo; 1 where a step failed."""
    width = None if Console().is_terminal else _WIDTH
    console = Console(highlight=False, markup=False, emoji=False, width=width)
    try:
        demo(args.out, args.broker, Sizes(schools=args.schools), console)
    except (DemoError, StoreError, OSError, sqlite3.Error) as error:
        logs = args.out / "logs"
        text = say(
            f"\n演示没有完成：{error}\n完整日志在 {logs}；改好后再运行一次",
            f"\nthe demo did not finish: {error}\nfull logs are in {logs}; fix it and run again",
        )
        print(text, file=sys.stderr)
        return FAILED
    return DONE

"""`schoolpulse enrol hivemq`: accounts and rights as a file for HiveMQ, in Mosquitto's place."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from agent.common.command_line import DONE
from agent.common.language import say
from collector.commands.enrol.places import common, opened
from collector.enrol import brokering


def add(actions: Any) -> None:
    """The sub-command."""
    text = say(
        "写出 HiveMQ（File RBAC 扩展）的账号权限文件；[mqtt] hivemq 写明后由 enrol 自动更新",
        "write the accounts and rights as the file of HiveMQ's extension File RBAC; where [mqtt] "
        "hivemq names it, the other commands keep it up to date",
    )
    parser = actions.add_parser("hivemq", help=text, description=text)
    text = say("要写的文件", "the file to write")
    parser.add_argument("file", type=Path, metavar="CREDENTIALS.XML", help=text)
    common(parser, _run)


def _run(args: argparse.Namespace) -> int:
    path: Path = args.file
    with opened(args) as city:
        accounts = brokering.accounts(city.place, city.state.held())
        if not brokering.write_hivemq(path, accounts):
            print(say(f"{path}：没有变化", f"{path}: nothing changed"))
            return DONE
    print(say(f"{path}：{len(accounts)} 个账号", f"{path}: {len(accounts)} accounts"))
    return DONE

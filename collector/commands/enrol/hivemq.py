"""`schoolpulse enrol hivemq`: accounts and rights as a file for HiveMQ, in Mosquitto's place."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from agent.common import files
from agent.common.command_line import DONE
from agent.common.language import say
from collector.broker import hivemq
from collector.commands.enrol.places import common, opened
from collector.enrol import brokering


def add(actions: Any) -> None:
    """The sub-command."""
    text = say(
        "写出 HiveMQ（File RBAC 扩展）的账号权限文件；凭据变动后再运行一次",
        "write the accounts and rights as the file of HiveMQ's extension File RBAC; to be run "
        "again after each change of credentials",
    )
    parser = actions.add_parser("hivemq", help=text, description=text)
    text = say("要写的文件", "the file to write")
    parser.add_argument("file", type=Path, metavar="CREDENTIALS.XML", help=text)
    common(parser, _run)


def _run(args: argparse.Namespace) -> int:
    path: Path = args.file
    with opened(args) as city:
        former = path.read_bytes() if path.exists() else b""
        accounts = brokering.accounts(city.place, city.state.held())
        wanted = hivemq.document(accounts, former)
        if wanted == former:
            print(say(f"{path}：没有变化", f"{path}: nothing changed"))
            return DONE
        files.replace(path, wanted, mode=0o600)
    print(say(f"{path}：{len(accounts)} 个账号", f"{path}: {len(accounts)} accounts"))
    return DONE

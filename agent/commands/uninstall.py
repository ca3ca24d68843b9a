"""`schoolpulse-agent uninstall`: the service goes; with --purge the data and settings too."""

from __future__ import annotations

import argparse

from agent import config as settings
from agent import service, traces
from agent.commands.install import cannot
from agent.lock import alone
from agent.wire.command_line import DONE, RefusedError
from agent.wire.lang import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether nothing may stay."""
    text = say("数据和配置也删除：未送达的报告会丢", "data and settings too: what waits is lost")
    parser.add_argument("--purge", action="store_true", help=text)
    parser.add_argument("--config", metavar="FILE", help=say("配置文件", "the config file"))


def run(args: argparse.Namespace) -> int:
    """Stop and remove it."""
    try:
        there = service.uninstall()
        if args.purge:
            _purge(args.config)
    except (OSError, service.Refused) as error:
        raise RefusedError(cannot(say("卸不掉", "cannot uninstall"), error)) from error
    gone = say("服务已卸载", "the service is removed")
    print(gone if there else say("没有服务", "no service was there"))
    return DONE


def _purge(path: str | None) -> None:
    config = settings.load(path, need_school=False)[0]
    if config.folder.exists():
        with alone(config.folder):  # an agent that runs would write it all anew
            pass
    traces.purge(config.folder, settings.DEFAULT_FILE)

"""`schoolpulse ask-again`: the running collector asks the PCs for confirmed evidence again."""

from __future__ import annotations

import argparse
import time

from agent.common.command_line import DONE, RefusedError, config_argument
from agent.common.language import say
from collector.commands.collect import since
from collector.commands.config_file import load_config
from collector.service.pipeline import resend_request

_KEPT_S = 7 * 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    text = say("从何时起，YYYY-MM-DD 或 YYYY-MM-DDTHH:MM", "since YYYY-MM-DD or YYYY-MM-DDTHH:MM")
    parser.add_argument("--since", required=True, type=since, metavar="SINCE", help=text)
    config_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Leave the request in the data folder: the collector reads it within a second."""
    folder, now_ms = load_config(args).folder, time.time_ns() // 1_000_000
    if not folder.is_dir():
        text = say("没有这个数据目录；用 --config 指明设置", "no such data folder; name --config")
        raise RefusedError(f"{folder}: {text}")
    start = args.since.timestamp()
    try:
        resend_request.ask(folder, int(start * 1000), now_ms)
    except OSError as error:
        raise RefusedError(f"{folder}: {error}") from error
    print(
        say(
            f"一周内，向每台联系上的电脑要回 {args.since:%Y-%m-%d %H:%M} 起的线路测试",
            f"for a week, each PC that connects is asked for its line tests since "
            f"{args.since:%Y-%m-%d %H:%M}",
        )
    )
    if now_ms / 1000 - start > _KEPT_S:
        print(say("电脑只保留 7 天：更早的要不回来", "PCs keep 7 days: older ones cannot come"))
    return DONE

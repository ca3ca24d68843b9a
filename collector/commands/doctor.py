"""`schoolpulse doctor`: check every dependency of the city side; each fault with its fix."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterable

from agent.common import log
from agent.common.calendar import CITY_TIME
from agent.common.checks import show
from agent.common.command_line import config_argument, json_argument
from agent.common.language import say
from collector.commands.progress import Bar
from collector.config import load
from collector.doctor.checks import checks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config_argument(parser)
    text = say(
        "建立数据目录、InfluxDB 的桶，设好保留期",
        "create the data folder and InfluxDB buckets, set retention",
    )
    parser.add_argument("--fix", action="store_true", help=text)
    json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Check all; 1 on any finding."""
    # The checks say themselves what the connection's log would say.
    log.configure("CRITICAL")
    config, warnings = load(args.config)
    today = dt.datetime.now(CITY_TIME)
    return show(checks(config, warnings, today, fix=args.fix, tick=_tick), as_json=args.json)


def _tick(schools: list[str]) -> Iterable[str]:
    """A day of a large city's reports takes a minute to read."""
    text = say("读取近 24 小时的报文", "reading reports of the last 24 hours")
    return Bar(text, len(schools)).over(schools)

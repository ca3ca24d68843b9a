"""`schoolpulse doctor`: check every dependency of the city side; each fault with its fix."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import logging
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.progress import track

from agent.common.calendar import CITY_TIME
from agent.common.command_line import DONE, FAILED, config_argument, json_argument
from agent.common.language import say
from agent.common.output import print_json
from collector.config import load
from collector.doctor.checks import Check, checks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    config_argument(parser)
    text = say(
        "建立 InfluxDB 的桶、设好保留期", "create the InfluxDB buckets and set their retention"
    )
    parser.add_argument("--fix", action="store_true", help=text)
    json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Check all; 1 on any finding."""
    # The checks report themselves what the connection would log.
    logging.getLogger("schoolpulse").setLevel(logging.CRITICAL)
    config, warnings = load(args.config)
    found = []
    for check in checks(config, warnings, dt.datetime.now(CITY_TIME), fix=args.fix, tick=_tick):
        found.append(check)
        if not args.json:
            _print(check)
    if args.json:
        print_json(_as_json(found))
    return DONE if all(check.ok for check in found) else FAILED


def _tick(schools: list[str]) -> Iterable[str]:
    """A day of a large city's reports takes a minute to read."""
    text = say("读取近 24 小时的报文", "reading reports of the last 24 hours")
    shown = Console(stderr=True)
    return track(
        schools,
        text,
        console=shown,
        transient=True,
        disable=not shown.is_terminal,
        update_period=0.5,
    )


def _print(check: Check) -> None:
    print(f"{'✓' if check.ok else '✗'} {check.name}: {check.detail}", flush=True)
    if check.mend:
        print(f"    {say('办法', 'fix')}: {check.mend}", flush=True)


def _as_json(found: Sequence[Check]) -> str:
    ok = all(check.ok for check in found)
    body = {"ok": ok, "checks": [check._asdict() for check in found]}
    return json.dumps(body, ensure_ascii=False, indent=2)

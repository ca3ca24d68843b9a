"""`schoolpulse enrol check`: files, rights, accounts and certificates, each with its fix."""

from __future__ import annotations

import argparse
from typing import Any

from agent.common import checks
from agent.common.command_line import json_argument
from agent.common.language import say
from collector.commands.enrol.places import common, opened
from collector.enrol import checking


def add(actions: Any) -> None:
    """The sub-command."""
    text = say(
        "逐项检查，给出办法；有问题时退出码为 1", "run checks and suggest fixes; 1 on a finding"
    )
    parser = actions.add_parser("check", help=text)
    json_argument(parser)
    common(parser, _run)


def _run(args: argparse.Namespace) -> int:
    with opened(args) as city:
        found = checking.run(city.place, city.config, city.state)
        return checks.show(found, as_json=args.json)

"""`schoolpulse-agent run`: the resident agent, until SIGTERM."""

from __future__ import annotations

import argparse

from agent.common import log
from agent.common.command_line import config_argument
from agent.common.defer import defer
from agent.common.language import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the settings are."""
    config_argument(parser)
    parser.add_argument("--verbose", action="store_true", help=say("更多日志", "debug log"))


def run(args: argparse.Namespace) -> int:
    """Run until stopped."""
    log.configure("DEBUG" if args.verbose else "INFO")
    defer("urllib.request")  # before paho asks for it; in the resident process only
    from agent.resident import process as resident

    return resident.run(args.config)

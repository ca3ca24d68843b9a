"""The settings that a command reads."""

from __future__ import annotations

import argparse
import sys

from agent import config
from agent.config import Config


def load_config(args: argparse.Namespace) -> Config:
    """The settings of `--config`, or of the default file; warnings go to standard error.

    Raises:
        SettingsError: see `agent.config.load`; a missing school is no error here.
    """
    found, warnings = config.load(args.config, need_school=False)
    for warning in warnings:
        print(warning, file=sys.stderr)
    return found

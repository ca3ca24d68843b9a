"""The settings that a command reads, and the register's file that they name."""

from __future__ import annotations

import argparse
import sys

from collector import config
from collector.config import Config
from collector.roster.book import RegisterBook

REGISTER_FILE = "register.db"


def load_config(args: argparse.Namespace) -> Config:
    """The settings of `--config`, or of the default file; warnings go to standard error.

    Raises:
        SettingsError: see `collector.config.load`.
    """
    found, warnings = config.load(args.config)
    for warning in warnings:
        print(warning, file=sys.stderr)
    return found


def register_book(args: argparse.Namespace) -> RegisterBook:
    """The register in the data folder of the settings; it need not exist yet.

    Raises:
        SettingsError: as `load_config`.
    """
    return RegisterBook(load_config(args).folder / REGISTER_FILE)

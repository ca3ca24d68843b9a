"""The settings that a command reads, and the register's file that they name."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from agent.common.language import say
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
    _say_which(found)
    return found


def _say_which(settings: Config) -> None:
    """Where two folders hold a register, nobody can know which one a command is about."""
    own = Path.home() / config.OWN_FOLDER
    if settings.data or settings.folder == own:
        return
    try:
        both = all((at / REGISTER_FILE).exists() for at in (settings.folder, own))
    except PermissionError:
        return
    if both:
        text = say(f"使用 {settings.folder}，不是 {own}", f"using {settings.folder}, not {own}")
        print(text, file=sys.stderr)


def register_book(args: argparse.Namespace) -> RegisterBook:
    """The register in the data folder of the settings; it need not exist yet.

    Raises:
        SettingsError: as `load_config`.
    """
    return RegisterBook(load_config(args).folder / REGISTER_FILE)

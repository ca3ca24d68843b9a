"""What commands that serve until they are told to stop have in common."""

from __future__ import annotations

import signal
import threading

from agent.common import log
from collector.config import Config, load


def begun(file: str | None) -> Config:
    """The settings, with the log set up and a warning for each that is ignored.

    Raises:
        SettingsError: see `collector.config.load`.
    """
    log.configure("INFO")
    config, warnings = load(file)
    for warning in warnings:
        log.warning("setting_ignored", text=warning)
    return config


def until_told() -> threading.Event:
    """Set by SIGTERM or Ctrl-C."""
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    return stop

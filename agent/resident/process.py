"""The resident agent's process: one per data folder; runs until SIGTERM."""

from __future__ import annotations

import signal
import sqlite3
import ssl
from collections.abc import Callable

from agent import config as settings
from agent import identity, renewed
from agent.common import log
from agent.common.command_line import DONE, FAILED
from agent.common.lock import agent_lock, cannot_start
from agent.config import Config
from agent.resident import status
from agent.resident.runner import Runner, Who


class Control:
    """Stops the running agent: on a signal, or when the Windows service manager asks."""

    def __init__(self) -> None:
        self.stopped = False
        self.up: Callable[[], None] = lambda: None  # called when a run begins
        self.runner: Runner | None = None

    def handle_signals(self) -> None:
        """Stop on SIGTERM and SIGINT; call it in the main thread only."""
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):  # SIGBREAK is Windows'
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: self.stop())

    def stop(self) -> None:
        """End the present run in order; returns at once."""
        self.stopped = True
        if self.runner is not None:
            self.runner.stop()


def run(path: str | None, control: Control | None = None) -> int:
    """Run until stopped; returns the exit code.

    Raises:
        SettingsError, RefusedError: it cannot start; the message says why.
    """
    if control is None:
        control = Control()
        control.handle_signals()
    config, warnings = settings.load(path)
    for warning in warnings:
        log.warning("setting_ignored", text=warning)
    config.broker.secret()  # refused now, not at each connection
    with agent_lock(config.folder):
        try:
            return _run(config, control)
        except (OSError, sqlite3.Error, ssl.SSLError) as error:
            raise cannot_start(config.folder, error) from error


def _run(config: Config, control: Control) -> int:
    """Run until stopped; start again with a new id where a policy says that others share ours."""
    last = status.read(config.folder)
    exclude = last.exclude_sources if last is not None else ()
    while True:
        keys = renewed.source_keys(config)
        who = Who(identity.identify(exclude=exclude, keys=keys), exclude, keys)
        log.info("start", school=config.school, machine=who.identity.machine)
        runner = Runner(config, who)
        control.runner = runner
        if control.stopped:  # stopped during the preparations
            runner.stop()
        else:
            control.up()
        ended = runner.run()
        if control.stopped or not ended:
            return DONE if ended else FAILED
        exclude = runner.exclude

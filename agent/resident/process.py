"""The resident agent as a process: one at a time, under one id after another, until SIGTERM."""

from __future__ import annotations

import signal
import sqlite3
import ssl
from collections.abc import Callable

from agent import config as settings
from agent import identity
from agent.common import log
from agent.common.command_line import DONE, FAILED
from agent.common.lock import alone, cannot_start
from agent.config import Config
from agent.resident import status
from agent.resident.runner import Runner, Who


class Told:
    """What this process was told: `stop` may come from a signal or from the system's services."""

    def __init__(self) -> None:
        self.stopped = False
        self.up: Callable[[], None] = lambda: None  # called once the agent runs, for each id
        self.runner: Runner | None = None

    def listen(self) -> None:
        """Take the signals that end a process; in the main thread only."""
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):  # the last is Windows'
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: self.stop())

    def stop(self) -> None:
        """End the run in order, soon."""
        self.stopped = True
        if self.runner is not None:
            self.runner.stop()


def run(path: str | None, told: Told | None = None) -> int:
    """Run until told to stop; returns the exit code.

    Raises:
        SettingsError, RefusedError: it cannot start; the message says why.
    """
    if told is None:
        told = Told()
        told.listen()
    config, warnings = settings.load(path)
    for warning in warnings:
        log.warning("setting_ignored", text=warning)
    with alone(config.folder):
        try:
            return _run(config, told)
        except (OSError, sqlite3.Error, ssl.SSLError) as error:
            raise cannot_start(config.folder, error) from error


def _run(config: Config, told: Told) -> int:
    """Run under one id after another: a policy may say that ours is not ours alone."""
    last = status.read(config.folder)
    exclude = last.exclude_sources if last is not None else ()
    while True:
        who = Who(identity.identify(exclude=exclude), exclude)
        log.info("start", school=config.school, machine=who.identity.machine)
        runner = Runner(config, who)
        told.runner = runner
        if told.stopped:  # while we got ready
            runner.stop()
        else:
            told.up()
        ended = runner.run()
        if told.stopped or not ended:
            return DONE if ended else FAILED
        exclude = runner.exclude

"""The updates of a resident agent, from its settings and its policy."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from typing import NamedTuple

from agent.clock import Clock
from agent.common.calendar import Calendar
from agent.config import Config
from agent.mqtt import Link, State
from agent.outbox import Outbox
from agent.resident.line_turns import LineTurns
from agent.update.memory import FOLDER
from agent.update.updates import Installer, Now, Updates, Who
from agent.version import VERSION
from agent.wire.messages import Policy


def updates(config: Config, machine: str, wake: Callable[[], None]) -> Updates:
    """Those of this PC; `wake` has the state reported at once."""
    chosen: Installer
    if sys.platform == "linux":
        from agent.update import install_linux

        chosen = install_linux.Installer(config.folder / FOLDER)
    elif sys.platform == "win32":
        from agent.update import install_windows

        chosen = install_windows.Installer(config.folder / FOLDER)
    else:
        from agent.update import install_none

        chosen = install_none.Installer()
    who = Who(
        machine=machine,
        version=VERSION,
        public_key=config.update.public_key,
        delay_s=config.update.delay_s,
        metered=lambda address: _metered(config, address),
    )
    return Updates(who, config.folder, chosen, wake)


class Parts(NamedTuple):
    """What an update waits for."""

    clock: Clock
    outbox: Outbox
    link: Link
    tests: LineTurns


def turn(ours: Updates, policy: Policy | None, parts: Parts) -> None:
    """Do what is due. Raises OSError, sqlite3.Error, OutboxError."""
    if not ours.enabled:
        return
    ms, calendar = parts.clock.now(), Calendar() if policy is None else policy.calendar
    quiet = ms is not None and calendar.is_quiet(dt.datetime.fromtimestamp(ms / 1000, dt.UTC))
    now = Now(
        ms,
        quiet=quiet,
        testing=parts.tests.running,
        waiting=parts.outbox.counts().rows,
        linked=parts.link.state is State.READY,
    )
    ours.turn(now, () if policy is None else policy.releases)


def _metered(config: Config, address: str) -> bool:
    """Whether the link is: by our settings, else by the system's."""
    if config.line.metered is not None:
        return config.line.metered
    from agent.probes.line import metered as nics_metered

    return nics_metered.metered(nics_metered.towards(address))

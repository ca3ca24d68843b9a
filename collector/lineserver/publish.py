"""Publishes records of tests through an agent's outbox and link, as the school `lineserver`."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path

from agent.clock import Clock
from agent.common import log
from agent.common.settings import Broker
from agent.mqtt import Link, Loop, Sender
from agent.outbox import Outbox
from agent.version import VERSION
from agent.wire import LINESERVER, AgentHealth, Inventory, LineRecord


class Publisher:
    """Keeps each record until the collector has stored it. Safe to use from several threads."""

    def __init__(self, broker: Broker, folder: Path, *, simulated: bool = False) -> None:
        """Open the outbox in `folder`; nothing is sent yet.

        Raises:
            OSError, sqlite3.Error: the folder cannot be written, or a TLS file cannot be read.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.machine = _machine(folder / "lineserver.id")
        self._started = time.monotonic()
        clock = Clock()
        self._outbox = Outbox(folder / "lineserver.db", self.machine, clock, simulated=simulated)
        self._loop = Loop("line-link")
        inventory = Inventory(os="lineserver", agent_version=VERSION)
        sender = Sender(LINESERVER, self.machine, lambda: inventory, simulated)
        self._link = Link(broker, sender, self._outbox, clock, self._loop)

    def start(self) -> None:
        """Connect, and stay connected."""
        self._loop.start()
        self._link.start()

    def stop(self) -> None:
        """Publish offline; records without a receipt stay in the outbox for the next start."""
        self._link.stop()
        self._loop.stop()
        self._outbox.close()

    def publish(self, record: LineRecord) -> None:
        """Store a record in the outbox; it is sent as soon as possible.

        Raises:
            OutboxError: it could not be stored.
        """
        number = self._outbox.put((record, self._health()), evidence=True)
        log.info("line_record", test=record.test, outcome=record.outcome, number=number)

    @property
    def waiting(self) -> int:
        """Records without a receipt."""
        return self._outbox.counts().rows

    def _health(self) -> AgentHealth:
        counts = self._outbox.counts()
        return AgentHealth(
            version=VERSION,
            uptime_s=round(time.monotonic() - self._started, 3),
            outbox_rows=counts.rows,
            outbox_bytes=counts.bytes,
            dropped_telemetry=counts.dropped_telemetry,
            dropped_evidence=counts.dropped_evidence,
        )


def _machine(path: Path) -> str:
    """The server's machine id, drawn once and stored next to its outbox."""
    if path.exists() and re.fullmatch("[0-9a-f]{32}", found := path.read_text("ascii").strip()):
        return found
    drawn = secrets.token_hex(16)
    path.write_text(drawn + "\n", "ascii")
    return drawn

"""Many simulated agents in one process, with the real outbox, clock, link and schedule.

Only the readings are simulated, and every report is marked so. One thread serves all links, another
makes all reports.
"""

from __future__ import annotations

import contextlib
import heapq
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from agent.clock import Clock
from agent.common.settings import Broker
from agent.mqtt import Callbacks, Link, Loop, Sender, State
from agent.outbox import Limits, Outbox
from agent.resident.schedule import next_report
from agent.version import VERSION
from agent.wire.messages import AgentHealth, Inventory, Reading

#: Open files per agent: the outbox with its WAL and index, and a socket.
_FILES_EACH = 4
_FILES_OTHERS = 256


class FleetAgent(NamedTuple):
    """One simulated PC: its identity, and a function for its current readings."""

    school: str
    machine: str
    readings: Callable[[], Sequence[Reading]]
    inventory: Inventory = Inventory(agent_version=VERSION)
    clock: Callable[[], Clock] = Clock  # a PC with a wrong clock brings its own


class _Running(NamedTuple):
    agent: FleetAgent
    outbox: Outbox
    link: Link


class Fleet:
    """A fleet of agents against one broker."""

    def __init__(
        self,
        broker: Broker,
        agents: Sequence[FleetAgent],
        data: Path,
        report_s: float = 300.0,
        *,
        simulated: bool = True,
        seed: int = 0,
        connecting: int | None = None,
    ) -> None:
        """Outboxes go to the folder `data`, one file per machine.

        At most `connecting` links connect at the same time; None: all.

        Raises:
            OSError, sqlite3.Error, ssl.SSLError: a file cannot be created, or a TLS file read.
        """
        _allow_files(len(agents) * _FILES_EACH)
        self._report_s = report_s
        self._random = random.Random(seed)  # noqa: S311 - spreads load, guards nothing
        self._loop = Loop("fleet-link")
        self._lock = threading.Lock()
        self._produced: set[tuple[str, str, int]] = set()
        self._stopping = threading.Event()
        self._reporter = threading.Thread(target=self._report, name="fleet-report", daemon=True)
        self._running = {
            agent.machine: self._ready(broker, agent, data, simulated) for agent in agents
        }
        self._connecting = connecting or len(agents)
        self._unstarted = deque(running.link for running in self._running.values())

    def _ready(self, broker: Broker, agent: FleetAgent, data: Path, simulated: bool) -> _Running:
        clock = agent.clock()
        path = data / f"{agent.machine}.db"
        limits = Limits(reserve=False)
        outbox = Outbox(path, agent.machine, clock, simulated=simulated, limits=limits)
        sender = Sender(agent.school, agent.machine, lambda: agent.inventory, simulated)
        callbacks = Callbacks(state=self._on_state)
        return _Running(agent, outbox, Link(broker, sender, outbox, clock, self._loop, callbacks))

    def _on_state(self, state: State, error: str) -> None:
        """A link is connected, or failed to: the next one's turn."""
        if state in (State.READY, State.IDLE):
            self._start_next()

    def _start_next(self) -> None:
        with contextlib.suppress(IndexError):  # all have been started
            self._unstarted.popleft().start()

    def start(self) -> None:
        """Connect all agents, and report every `report_s` seconds."""
        self._loop.start()
        for _ in range(self._connecting):
            self._start_next()
        self._reporter.start()

    def stop(self) -> None:
        """Publish offline for all, and close the outboxes; waiting reports stay in them."""
        self.quiet()
        for running in self._running.values():
            running.link.begin_stop()
        for running in self._running.values():
            running.link.stop()
        self._loop.stop()
        for running in self._running.values():
            running.outbox.close()

    def quiet(self) -> None:
        """Make no more reports; those in the outboxes are still sent."""
        self._stopping.set()
        if self._reporter.is_alive():
            self._reporter.join()

    def put(self, machine: str, readings: Sequence[Reading], *, evidence: bool = False) -> int:
        """Put one report, such as a line test, into a machine's outbox; returns its number."""
        outbox = self._running[machine].outbox
        if not any(isinstance(reading, AgentHealth) for reading in readings):
            readings = (*readings, _health(outbox))  # every report has exactly one
        number = outbox.put(readings, evidence=evidence)
        with self._lock:
            self._produced.add((machine, outbox.boot, number))
        return number

    def waiting(self) -> int:
        """Reports without a receipt, over all outboxes."""
        return sum(running.outbox.counts().rows for running in self._running.values())

    def produced(self) -> set[tuple[str, str, int]]:
        """(machine, boot, number) of every report made since the start, hellos left out."""
        with self._lock:
            return set(self._produced)

    def _report(self) -> None:
        """Make each agent's reports at its own times, the first within one period."""
        now = time.monotonic()
        spread = min(self._report_s, 5.0)
        turns = [(now + self._random.random() * spread, name) for name in self._running]
        heapq.heapify(turns)
        while turns and not self._stopping.wait(max(0.0, turns[0][0] - time.monotonic())):
            at, name = turns[0]
            self._report_one(name)
            following = next_report(at, self._report_s, self._random.random)
            heapq.heapreplace(turns, (max(following, time.monotonic()), name))

    def _report_one(self, name: str) -> None:
        self.put(name, self._running[name].agent.readings())


def _allow_files(count: int) -> None:
    """Raise the soft limit of open files if it is too low, as far as the hard limit allows."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _FILES_OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _health(outbox: Outbox) -> AgentHealth:
    counts = outbox.counts()
    return AgentHealth(
        version=VERSION,
        outbox_rows=counts.rows,
        outbox_bytes=counts.bytes,
        dropped_telemetry=counts.dropped_telemetry,
        dropped_evidence=counts.dropped_evidence,
        set_aside=counts.set_aside,
        lost=counts.lost,
    )

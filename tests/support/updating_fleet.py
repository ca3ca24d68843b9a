"""Simulated PCs that update themselves: the real outbox, link and updates, a faked installation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path

from agent.clock import Clock
from agent.common.settings import Broker
from agent.mqtt import Link, Loop, Sender, State
from agent.outbox import Limits, Outbox
from agent.update.updates import Now, Updates, Who
from agent.wire.messages import AgentHealth, Inventory, Policy


class FakeInstaller:
    """Restarts the simulated PC as the new version, or, where that is bad, not at all."""

    platform = "linux"

    def __init__(self, pc: Pc) -> None:
        self.pc = pc

    def ready(self) -> bool:
        return True

    def install(self, file: Path, manifest: bytes, version: str) -> None:
        assert file.stat().st_size
        self.pc.next_version = version

    def confirm(self, version: str) -> None:
        self.pc.confirmed = version

    def outcome(self, version: str) -> str:
        return self.pc.outcome


class Pc:
    """One simulated PC; all its methods are called in the fleet's thread."""

    def __init__(self, fleet: UpdatingFleet, school: str, machine: str, version: str) -> None:
        self.fleet, self.school, self.machine, self.version = fleet, school, machine, version
        self.next_version = self.confirmed = self.outcome = ""
        self.policy: Policy | None = None
        self.on = False
        self.start()

    def start(self) -> None:
        fleet, clock = self.fleet, Clock()
        self.due, self.clock = True, clock
        folder = fleet.folder / self.machine
        folder.mkdir(exist_ok=True)
        limits = Limits(reserve=False)
        self.outbox = Outbox(
            folder / "outbox.db", self.machine, clock, simulated=True, limits=limits
        )
        inventory = Inventory(agent_version=self.version)
        sender = Sender(self.school, self.machine, lambda: inventory, True)
        self.link = Link(
            fleet.broker, sender, self.outbox, clock, fleet.loop, fleet.callbacks(self)
        )
        who = Who(self.machine, self.version, fleet.public_key, delay_s=0.0)
        self.updates = Updates(who, folder, FakeInstaller(self), self.wake, draw=lambda: 0.0)
        self.link.start()
        self.on = True

    def stop(self) -> None:
        self.on = False
        self.link.stop()
        self.outbox.close()

    def wake(self) -> None:
        self.due = True
        self.fleet.wake.set()

    def turn(self) -> None:
        if self.next_version:
            version, self.next_version = self.next_version, ""
            self.stop()
            if version in self.fleet.bad:
                self.outcome = "rolled_back"  # what the watchdog will say when it is on again
                return
            self.version = version
            self.start()
        if not self.on:
            return
        if self.due:
            self.due = False
            state = self.updates.state
            number = self.outbox.put((AgentHealth(version=self.version, update=state),))
            self.fleet.produced.add((self.machine, self.outbox.boot, number))
            self.updates.said(state)
        ready = self.link.state is State.READY
        waiting = self.outbox.counts().rows
        now = Now(self.clock.now(), quiet=True, testing=False, waiting=waiting, linked=ready)
        self.updates.turn(now, self.policy.releases if self.policy else ())


class UpdatingFleet:
    """Turns of all PCs, in one thread."""

    def __init__(
        self, broker: Broker, folder: Path, public_key: str, bad: Collection[str],
        callbacks: Callable[[Pc], object],
    ) -> None:  # fmt: skip
        self.broker, self.folder, self.public_key, self.bad = broker, folder, public_key, bad
        self.callbacks = callbacks
        self.loop = Loop("updating-fleet")
        self.wake, self.stopping = threading.Event(), threading.Event()
        self.produced: set[tuple[str, str, int]] = set()
        self.failed: list[Exception] = []
        self.pcs: list[Pc] = []
        self.switch_on: set[str] = set()  # machines whose watchdog has done its work
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self, schools: Collection[str], count: int, version: str) -> None:
        self.loop.start()
        codes = sorted(schools)
        for number in range(count):
            machine = f"{number + 1:032x}"
            self.pcs.append(Pc(self, codes[number % len(codes)], machine, version))
        self.thread.start()

    def _run(self) -> None:
        while not self.stopping.is_set():
            self.wake.wait(0.2)
            self.wake.clear()
            for pc in self.pcs:
                try:
                    if not pc.on and pc.machine in self.switch_on:
                        pc.start()
                    pc.turn()
                except Exception as error:
                    self.failed.append(error)

    def end(self) -> None:
        self.stopping.set()
        self.wake.set()
        self.thread.join()
        for pc in self.pcs:
            if pc.on:
                pc.stop()
        self.loop.stop()

    def versions(self) -> dict[str, str]:
        return {pc.machine: pc.version for pc in self.pcs}

    def waiting(self) -> int:
        return sum(pc.outbox.counts().rows for pc in self.pcs if pc.on)


def until(done: Callable[[], bool], seconds: float, what: Callable[[], object]) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, what()
        time.sleep(0.2)

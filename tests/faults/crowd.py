"""A fleet of real agents as a process that can be killed: what it produced stands in a file.

Every report is noted in `produced` after its outbox has it, in one write, so that a kill -9 can
lose a note but never leave one without a report.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from agent import wire
from agent.common.settings import Broker
from agent.mqtt import hello, link, reconnect
from agent.outbox import window
from collector.simulate.fleet import Fleet, FleetAgent

#: Waits in seconds, so that a matrix of faults takes minutes and not days.
_IMPATIENT = (
    (window, "PATIENCE", 2.0), (window, "BASE", 0.5), (window, "CAP", 30.0),
    (hello, "PATIENCE", 1.0), (hello, "BASE", 0.5), (hello, "CAP", 30.0),
    (reconnect, "CAP_S", 1.0), (link, "_FIVE_ANSWER_S", 1.0),
)  # fmt: skip


class Noted(Fleet):
    """A fleet that writes down what it produced."""

    def __init__(
        self, *words: object, notes: Path, evidence_every: int = 0, **more: object
    ) -> None:
        super().__init__(*words, **more)  # type: ignore[arg-type]
        self._notes = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._evidence_every, self._made = evidence_every, 0

    def put(self, machine: str, readings: Sequence[wire.Reading], *, evidence: bool = False) -> int:
        """Now and then a line test: evidence."""
        self._made += 1
        if self._evidence_every and self._made % self._evidence_every == 0:
            test = wire.LineTest(test=f"t{self._made}", line="主线", outcome="ok", down_mbps=10.0)
            readings, evidence = (*readings, test), True
        number = super().put(machine, readings, evidence=evidence)
        boot = self._running[machine].outbox.boot
        os.write(self._notes, f"{machine} {boot} {number} {int(evidence)}\n".encode())
        return number

    def sums(self) -> dict[str, int]:
        """What waits and what was lost, over all outboxes."""
        found = [running.outbox.counts() for running in self._running.values()]
        names = ("rows", "dropped_telemetry", "dropped_evidence", "lost")
        return {name: sum(getattr(one, name) for one in found) for name in names}


def _drain(fleet: Fleet, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while fleet.waiting() and time.monotonic() < deadline:
        threading.Event().wait(0.1)


def main() -> None:
    """Report until SIGTERM, then drain; prints the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--port", type=int, required=True)
    add("--school", default="9900000001")
    add("--agents", type=int, default=50)
    add("--report-s", type=float, default=1.0)
    add("--folder", type=Path, required=True)
    add("--evidence-every", type=int, default=0)
    add("--drain-s", type=float, default=200.0)
    add("--patient", action="store_true", help="with the waits of real agents")
    args = parser.parse_args()
    for module, name, seconds in () if args.patient else _IMPATIENT:
        setattr(module, name, seconds)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    agents = [
        FleetAgent(args.school, f"{n:032x}", lambda: (wire.Host(cpu_percent=1.0),))
        for n in range(1, args.agents + 1)
    ]
    args.folder.mkdir(exist_ok=True)
    fleet = Noted(
        Broker(port=args.port), agents, args.folder, args.report_s,
        notes=args.folder / "produced", evidence_every=args.evidence_every,
    )  # fmt: skip
    fleet.start()
    print("ready", flush=True)
    stop.wait()
    fleet.quiet()
    _drain(fleet, args.drain_s)
    for agent in agents:  # a last word each: that nothing waits any more
        fleet.put(agent.machine, agent.readings())
    _drain(fleet, args.drain_s)
    sums = fleet.sums()
    fleet.stop()
    json.dump(sums, sys.stdout)


if __name__ == "__main__":
    main()

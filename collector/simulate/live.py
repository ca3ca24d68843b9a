"""Runs PCs of a simulated city as agents over MQTT."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from agent.common.settings import Broker
from agent.version import VERSION
from agent.wire import Device, Host, Inventory, Nic, Reading
from collector.simulate.city import City, Gear, Pc
from collector.simulate.fleet import Fleet, FleetAgent

_MEMORY = 8 * 2**30
_DISK = 256 * 10**9
#: How long to wait for receipts after the last report, s.
PATIENCE_S = 30.0
_POLL_S = 0.2


class Bounds(NamedTuple):
    """When the fleet ends: at `seconds` or `reports`, whichever is first; and how it connects."""

    seconds: float | None = None
    reports: int | None = None
    connecting: int | None = None  # links that connect at the same time; None: all

    def reached(self, seconds: float, reports: int) -> bool:
        """Whether either bound is reached."""
        over_time = self.seconds is not None and seconds >= self.seconds
        return over_time or (self.reports is not None and reports >= self.reports)


class Outcome(NamedTuple):
    """The result of a fleet: reports made, and those without a receipt at the end."""

    agents: int
    produced: int
    waiting: int


def agents(city: City, count: int) -> list[FleetAgent]:
    """The first `count` reporting PCs of the city, schools in turn."""
    reporting = [pc for pc in city.pcs if pc.days.only != frozenset()]
    by_school: dict[str, list[Pc]] = {}
    for pc in reporting:
        by_school.setdefault(pc.school, []).append(pc)
    # Schools in turn, so that a small fleet still covers many of them.
    ranked = sorted(
        ((place, pc) for pcs in by_school.values() for place, pc in enumerate(pcs)),
        key=lambda item: (item[0], item[1].school),
    )
    return [_agent(pc, city.size.seed) for _, pc in ranked[:count]]


def run(
    broker: Broker,
    fleet_agents: Sequence[FleetAgent],
    data: Path,
    report_s: float,
    bounds: Bounds,
    progress: Callable[[int, int], None] | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Run the fleet until its bounds, or until `stop`; then wait for the last receipts.

    `progress` gets the numbers of reports made and waiting. Set `stop` to end the fleet early.

    Raises:
        OSError, sqlite3.Error, ssl.SSLError: see `collector.simulate.fleet.Fleet`.
    """
    stop = stop or threading.Event()
    seed, connecting = len(fleet_agents), bounds.connecting
    fleet = Fleet(broker, fleet_agents, data, report_s, seed=seed, connecting=connecting)
    begun = time.monotonic()
    fleet.start()
    try:
        while not bounds.reached(time.monotonic() - begun, len(fleet.produced())):
            if progress:
                progress(len(fleet.produced()), fleet.waiting())
            if stop.wait(_POLL_S):
                break
        fleet.quiet()
        _drain(fleet, stop)
        return Outcome(len(fleet_agents), len(fleet.produced()), fleet.waiting())
    finally:
        fleet.stop()


def _drain(fleet: Fleet, stop: threading.Event) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while fleet.waiting() and time.monotonic() < deadline and not stop.wait(_POLL_S):
        pass


def _agent(pc: Pc, seed: int) -> FleetAgent:
    inventory = Inventory(
        hostname=pc.hostname, os="Windows", os_version="10", maker="模拟", model="SIM-8",
        memory_bytes=_MEMORY, disk_bytes=_DISK, agent_version=VERSION, weak_id=pc.weak,
    )  # fmt: skip
    rng = random.Random(f"{seed}/{pc.machine}")  # noqa: S311 - invented readings
    begun = time.monotonic()

    def readings() -> list[Reading]:
        uptime = 3600 + time.monotonic() - begun
        return [_host(inventory, rng, uptime), *(_device(gear) for gear in pc.gear)]

    return FleetAgent(pc.school, pc.machine, readings, inventory)


def _host(inventory: Inventory, rng: random.Random, uptime: float) -> Host:
    traffic = int(uptime * 20_000)
    nic = Nic("eth0", True, "wired", 1000.0, sent_bytes=traffic, received_bytes=traffic * 4)
    return Host(
        cpu_percent=round(rng.uniform(1, 40), 1), memory_total=_MEMORY,
        memory_used=int(_MEMORY * rng.uniform(0.3, 0.8)), disk_total=_DISK,
        disk_used=_DISK // 3, uptime_s=round(uptime, 1), os="Windows", nics=(nic,),
        inventory=inventory,
    )  # fmt: skip


def _device(gear: Gear) -> Device:
    seen = gear.seen.holds(0, frozenset())
    return Device(
        kind=gear.kind, connector=gear.connector, present=seen,
        power="on" if seen else "unknown", name=gear.model, maker=gear.maker, model=gear.model,
        serial=gear.serial,
    )  # fmt: skip

"""5,000 agents over TLS on one Mosquitto with its accounts, restarted: `make bench-tls`.

Real agents (`collector.simulate.fleet`: an outbox, a log-in and a connection each) of a hundred
schools, a real collector on SQLite, the broker's settings as they are deployed. All come up, all
report; then the broker is restarted: all are back within a minute. The agents share the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import bench_city
import psutil
import stampede
from rich.console import Console
from rich.table import Table

import city_broker
from agent.common.settings import Broker
from city_broker import CityBroker
from collector.simulate.fleet import FleetAgent, _Running

SCHOOLS = [f"99000{n:05}" for n in range(1, 101)]
#: What is promised, s.
BACK_S = 60.0
_wait = threading.Event().wait


class Found(NamedTuple):
    """What one coming up of all agents came to."""

    seconds: float  # until the last is connected and subscribed
    median_s: float
    peak: int  # within any one second
    drained_s: float  # until no report waits
    broker_cpu_s: float
    broker_mb: float


class City(stampede.Crowd):
    """A crowd in which every school has its own log-in."""

    city: CityBroker

    def _ready(self, broker: Broker, agent: FleetAgent, data: Path, simulated: bool) -> _Running:
        return super()._ready(self.city.settings(agent.school), agent, data, simulated)


def main() -> int:
    """Run it; 1 where an agent or a report is missing, or the restart takes too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--agents", type=int, default=5000)
    add("--parts", type=int, default=2, help="processes that the agents are in")
    add("--connecting", type=int, default=25, help="agents of each that connect at once at first")
    args = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as opened:
        folder = Path(name)
        broker = opened.enter_context(city_broker.running(folder, SCHOOLS))
        log_in(broker, "collector")
        bench_city.SCHOOLS[:] = SCHOOLS
        table, count = opened.enter_context(bench_city.store_of("sqlite", folder))
        opened.enter_context(bench_city.collector(folder, broker.port, table))
        begun = time.perf_counter()
        parts = [Part(broker, args, n) for n in range(args.parts)]
        first = _coming(parts, broker, begun)
        again = _coming(parts, broker, _restarted(broker))
        lost = sum(part.ask("end") for part in parts) - count()
    _print(args.agents, first, again, lost)
    return int(lost != 0 or again.seconds > BACK_S)


class Part:
    """A process with some of the agents: one may hold only so many files."""

    def __init__(self, broker: CityBroker, args: argparse.Namespace, which: int) -> None:
        self._ours, theirs = multiprocessing.Pipe()
        numbers = range(which + 1, args.agents + 1, args.parts)
        words = (theirs, broker, numbers, args.connecting)
        self._process = multiprocessing.Process(target=_part, args=words, daemon=True)
        self._process.start()

    def tell(self, word: object) -> None:
        """Give it something to do."""
        self._ours.send(word)

    def hear(self) -> Any:
        """What came of it; fails where the process ended."""
        try:
            return self._ours.recv()
        except EOFError:
            raise SystemExit("a process with agents has ended") from None

    def ask(self, word: object) -> Any:
        """Both."""
        self.tell(word)
        return self.hear()


def _part(pipe: Any, broker: CityBroker, numbers: Sequence[int], connecting: int) -> None:
    """Answer a time with when each agent came up since, and with when no report waited any more;
    `end` with the number of reports that were made."""
    with _fleet(broker, numbers, connecting) as fleet:
        while (word := pipe.recv()) != "end":
            pipe.send(_came(fleet, len(numbers), word))
            stampede._until(lambda: not fleet.waiting(), 600, "all receipts")
            pipe.send(time.perf_counter())
        fleet.quiet()
        stampede._until(lambda: not fleet.waiting(), 180, "the last receipts")
        pipe.send(len(fleet.produced()))


def _came(fleet: City, agents: int, begun: float) -> list[float]:
    up: list[float] = fleet.__dict__.setdefault("up", [])
    stampede._until(
        lambda: fleet.ready() == agents and sum(at >= begun for at in up) >= agents,
        600, "all agents",
    )  # fmt: skip
    return sorted(at for at in up if at >= begun)[:agents]


def log_in(broker: CityBroker, name: str) -> None:
    """What the collector that is started next finds in its environment."""
    settings = broker.settings(name)
    os.environ |= {
        "SCHOOLPULSE_MQTT_TLS": "true",
        "SCHOOLPULSE_MQTT_CA": settings.ca,
        "SCHOOLPULSE_MQTT_USERNAME": settings.username,
        "SCHOOLPULSE_MQTT_PASSWORD": settings.password,
    }


@contextlib.contextmanager
def _fleet(broker: CityBroker, numbers: Sequence[int], connecting: int) -> Iterator[City]:
    City.city = broker
    who = [
        FleetAgent(SCHOOLS[n % len(SCHOOLS)], f"{n:032x}", lambda: stampede._HOST) for n in numbers
    ]
    shm = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shm if shm.is_dir() else None) as data:
        settings = broker.settings(SCHOOLS[0])
        more = {"simulated": False, "connecting": connecting}
        fleet = City(settings, who, Path(data), report_s=300.0, **more)
        fleet.start()
        yield fleet
        fleet.stop()


def _restarted(broker: CityBroker) -> float:
    broker.stop()
    begun = time.perf_counter()
    broker.start()
    return begun


def _coming(parts: Sequence[Part], broker: CityBroker, begun: float) -> Found:
    """From `begun` until every agent is connected and no report waits."""
    for part in parts:
        part.tell(begun)
    came = sorted(at for part in parts for at in part.hear())
    memory = broker.memory / 1e6
    drained = max(part.hear() for part in parts)
    process = psutil.Process(broker.processes[-1].pid)
    return Found(
        came[-1] - begun, came[len(came) // 2] - begun, stampede._peak(came), drained - begun,
        sum(process.cpu_times()[:2]), memory,
    )  # fmt: skip


def _print(agents: int, first: Found, again: Found, lost: int) -> None:
    table = Table(title=f"{agents:,} agents over TLS, {os.cpu_count()} cores shared with them")
    for head in ("", "first start", "after a restart", "limit"):
        table.add_column(head, justify="right" if head else "left")
    rows = (
        ("all connected after, s", "seconds", "{:.1f}", f"{BACK_S:.0f}"),
        ("half of them after, s", "median_s", "{:.1f}", ""),
        ("log-ins within a second, at most", "peak", "{}", ""),
        ("no report waits after, s", "drained_s", "{:.1f}", ""),
        ("CPU of the broker until then, s", "broker_cpu_s", "{:.1f}", ""),
        ("memory of the broker, MB", "broker_mb", "{:.0f}", ""),
    )
    for text, name, form, limit in rows:
        table.add_row(text, *(form.format(getattr(one, name)) for one in (first, again)), limit)
    each = f"{again.broker_mb * 1e3 / agents:.0f}"
    table.add_row("of it for an agent, kB", "", each, "")
    table.add_row("reports lost", "", str(lost), "0")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())

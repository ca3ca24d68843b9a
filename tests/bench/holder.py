"""Whoever holds one school's credential, at full speed, beside twenty schools that report.

`make attack`: each attack in turn, then the worst three at once; a real broker and collector
(SQLite) as deployed, real agents' links, over TLS, in two network namespaces of which one is the
city's with deploy/nftables loaded. What must hold: nothing of the others is lost, their receipts
come within two seconds of their reports, and a device of theirs that breaks is listed
within two minutes (see holder_today). Root on Linux.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import bench_city
import holder_agents
import holder_today
import tls
from holder_agents import CITY, PORT, SCHOOLS
from rich.console import Console
from rich.table import Table

import attacker
import city_broker
import services
from city_broker import CityBroker

THIEF = "9901020001"
THIEF_AT, SCHOOLS_AT = "10.99.0.2", "10.99.0.3"
RULES = Path(__file__).parents[2] / "deploy/nftables/schoolpulse.nft"
PROMISE_S = 2.0
#: Found to hurt most without the rules of nftables.
WORST = ("large", "small", "log-ins")
_wait = threading.Event().wait


class Found(NamedTuple):
    """What the other schools saw of one attack."""

    attack: str
    reports: int
    p50: float
    p99: float
    most: float
    broker_mb: float


def main() -> int:
    """Run it; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--minutes", type=float, default=10.0, help="in all, of attacks")
    add("--agents", type=int, default=100, help="of the other schools")
    add("--each", type=float, default=5.0, help="seconds between an agent's reports")
    add("--bare", action="store_true", help="without the rules of nftables")
    add("--only", nargs="+", choices=attacker.ATTACKS, help="these at once, and nothing else")
    add("--inside", default="", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        return _inside(args)
    with _namespaces() as (city, outside):
        argv = ["ip", "netns", "exec", city, sys.executable, __file__, *sys.argv[1:]]
        return subprocess.run([*argv, "--inside", outside], check=False).returncode


@contextlib.contextmanager
def _namespaces() -> Iterator[tuple[str, str]]:
    city, outside = f"city-{os.getpid()}", f"out-{os.getpid()}"

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True)

    ip("netns", "add", city)
    ip("netns", "add", outside)
    try:
        ip("-n", city, "link", "add", "c", "type", "veth", "peer", "name", "o", "netns", outside)
        for name, link, addresses in ((city, "c", [CITY]), (outside, "o", [SCHOOLS_AT, THIEF_AT])):
            for address in addresses:
                ip("-n", name, "address", "add", f"{address}/24", "dev", link)
            for one in (link, "lo"):
                ip("-n", name, "link", "set", one, "up")
        yield city, outside
    finally:
        ip("netns", "del", city)
        ip("netns", "del", outside)


def _inside(args: argparse.Namespace) -> int:
    """In the city's namespace: all of it, the others through `ip netns exec`."""
    if not args.bare:
        subprocess.run([services.require("nft"), "-f", str(RULES)], check=True)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as opened:
        folder = Path(name)
        broker = city_broker.prepared(folder, [THIEF, *SCHOOLS], address="", port=PORT)
        broker.limits = ("--nofile=16384", "--data=2000000000")
        opened.callback(broker.stop)
        broker.start()
        tls.log_in(broker, "collector")
        bench_city.SCHOOLS[:] = [THIEF, *SCHOOLS]
        table, _ = opened.enter_context(bench_city.store_of("sqlite", folder))
        process = opened.enter_context(bench_city.collector(folder, PORT, table))
        others = Others(folder, args)
        opened.callback(others.process.kill)
        today = holder_today.Today(folder / "collector.toml", others.breaks)
        found = [_one(broker, others, args.inside, part, seconds) for part, seconds in _turns(args)]
        in_time = today.end()
        made, waiting = others.end()
        stored = _stored(folder)
        memory = process.memory_info().rss / 1e6
        survived = broker.alive
    _print(args, found, made, waiting, stored, memory, survived)
    kept = all(one.most <= PROMISE_S for one in found) and in_time
    return int(not (kept and survived) or waiting > 0 or made != stored)


def _turns(args: argparse.Namespace) -> list[tuple[tuple[str, ...], float]]:
    """Which attacks at once, and for how long; first none, to compare with."""
    seconds = args.minutes * 60
    if args.only:
        return [((), 20.0), (tuple(args.only), seconds)]
    alone = [(one,) for one in attacker.ATTACKS]
    return [((), 20.0), *((one, seconds / (len(alone) + 1)) for one in [*alone, WORST])]


def _one(
    broker: CityBroker, others: Others, outside: str, kinds: tuple[str, ...], seconds: float
) -> Found:
    others.latencies()
    if not kinds:
        _wait(seconds)
        return _found("none", others, broker)
    settings = broker.settings(THIEF)
    fields = {name: getattr(settings, name) for name in settings.__struct_fields__}
    words = {"broker": fields | {"host": CITY}, "school": THIEF, "seconds": seconds}
    words |= {"kinds": kinds, "source": THIEF_AT}
    argv = [sys.executable, attacker.__file__, json.dumps(words)]
    subprocess.run(["ip", "netns", "exec", outside, *argv], check=True, stderr=subprocess.DEVNULL)
    return _found(" + ".join(kinds), others, broker)


def _found(name: str, others: Others, broker: CityBroker) -> Found:
    late = sorted(others.latencies())
    p50, p99 = (late[int(len(late) * q)] for q in (0.5, 0.99))
    return Found(name, len(late), p50, p99, late[-1], broker.memory / 1e6)


class Others:
    """The process with the agents of the other schools, in the outer namespace."""

    def __init__(self, folder: Path, args: argparse.Namespace) -> None:
        argv = ["ip", "netns", "exec", args.inside, sys.executable, holder_agents.__file__]
        argv += [str(folder), str(args.agents), str(args.each)]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._one = threading.Lock()
        self._read()

    def latencies(self) -> list[float]:
        """Of the reports since the last call, s."""
        return list(self._ask("latencies"))

    def breaks(self, connector: str) -> None:
        """A projector breaks, and stays so."""
        self._ask(connector)

    def end(self) -> tuple[int, int]:
        """Reports made, and those without a receipt after a while."""
        made, waiting = self._ask("end")
        return made, waiting

    def _ask(self, word: str) -> Any:
        assert self.process.stdin is not None
        with self._one:
            self.process.stdin.write(f"{word}\n".encode())
            self.process.stdin.flush()
            return self._read()

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the process with the agents has ended")
        return json.loads(line)


def _stored(folder: Path) -> int:
    """Reports of the other schools that the store has."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(folder / "data/schoolpulse.db")) as db:
        query = "SELECT count(*) FROM agent WHERE school <> ?"
        return int(db.execute(query, (THIEF,)).fetchone()[0])


def _print(
    args: argparse.Namespace, found: list[Found], made: int, waiting: int, stored: int,
    memory: float, survived: bool,
) -> None:  # fmt: skip
    rules = "without nftables" if args.bare else "with nftables"
    table = Table(title=f"{args.agents} agents of others beside one school's holder, {rules}")
    for head in ("attack", "reports", "p50, s", "p99, s", "most, s", "broker, MB"):
        table.add_column(head, justify="left" if head == "attack" else "right")
    for one in found:
        times = (f"{value:.2f}" for value in (one.p50, one.p99, one.most))
        table.add_row(one.attack, str(one.reports), *times, f"{one.broker_mb:.0f}")
    console = Console()
    console.print(table)
    console.print(f"made {made}, stored {stored}, without a receipt {waiting}")
    console.print(f"collector {memory:.0f} MB, broker {'alive' if survived else 'ENDED'}")


if __name__ == "__main__":
    sys.exit(main())

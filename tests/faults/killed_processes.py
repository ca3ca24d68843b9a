"""Processes are killed: agents, collectors, the broker, the database, members of its cluster."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from clustered import derived_alike, patient
from fault_row import Row, row
from rich.console import Console
from rich.progress import track
from town import Town, until

_wait = threading.Event().wait
console = Console(width=150)


def kills(town: Town, cycles: int, rng: random.Random) -> Row:
    """kill -9 of agents, collector, broker and database at random."""
    town.collect()
    town.crowd(agents=50, evidence_every=20)
    until(town.any_stored, 60, "the first reports")
    count = dict.fromkeys(("agents", "collector", "broker", "database"), 0)
    for _ in track(range(cycles), description="kill -9", console=console):
        victim = rng.choice(list(count))
        count[victim] += 1
        _kill(town, victim, rng.uniform(0.0, 0.8))
        _wait(rng.uniform(0.3, 1.5))
    note = ", ".join(f"{name} {times}" for name, times in count.items())
    return row("kill -9 at random", cycles, town, town.drain(), note)


def _kill(town: Town, victim: str, down_s: float) -> None:
    end: dict[str, Callable[[], object]] = {
        "agents": town.kill_crowd, "collector": town.kill_collector,
        "broker": town.broker.kill, "database": town.database.kill,
    }  # fmt: skip
    begin: dict[str, Callable[[], object]] = {
        "agents": town.restart_crowd, "collector": town.collect,
        "broker": town.broker.start, "database": town.database.start,
    }  # fmt: skip
    end[victim]()
    _wait(down_s)
    begin[victim]()


def outage(town: Town, cycles: int, rng: random.Random) -> Row:
    """The database is down while 200 agents report: the collector's memory stays flat."""
    town.collect()
    town.crowd(agents=200)
    until(lambda: len(town.stored()) > 1000, 60, "reports before the outage")
    before = max(_rss(town, 5))
    town.database.kill()
    during = _rss(town, cycles)
    town.database.start()
    growth = 100 * (max(during) / before - 1)
    found = row("database down, 200 agents", 1, town, town.drain(), "")
    note = f"{cycles} s; RSS {before:.0f} → {max(during):.0f} MB, {growth:+.0f}%"
    return found._replace(note=note, lost=found.lost if growth <= 20 else max(found.lost, 1))


def _rss(town: Town, seconds: float) -> list[float]:
    found, until_s = [], time.monotonic() + seconds
    while time.monotonic() < until_s:
        found.append(town.rss())
        _wait(0.25)
    return found


def broker(town: Town, cycles: int, rng: random.Random) -> Row:
    """The broker is restarted, and forgets everything."""
    town.collect()
    town.crowd(agents=50)
    until(town.any_stored, 60, "the first reports")
    for _ in range(cycles):
        town.broker.kill()
        _wait(rng.uniform(0.0, 1.0))
        town.broker.start()
        _wait(rng.uniform(1.0, 3.0))
    return row("broker restarted, no persistence", cycles, town, town.drain())


def two(town: Town, cycles: int, rng: random.Random) -> Row:
    """Two collectors share the reports; one is killed, and comes back."""
    town.collect(0)
    town.collect(1)
    town.crowd(agents=50, evidence_every=20)
    until(town.any_stored, 60, "the first reports")
    for _ in range(cycles):
        which = rng.choice((0, 1))
        town.kill_collector(which)
        _wait(rng.uniform(0.5, 2.0))
        town.collect(which)
        _wait(rng.uniform(0.5, 2.0))
    town.kill_collector(1)
    return row("two collectors, one killed", cycles + 1, town, town.drain())


def members(kind: str) -> Callable[[Town, int, random.Random], Row]:
    """Members of a kind of an openGemini cluster are killed while reports come and are derived."""

    def killed(town: Town, cycles: int, rng: random.Random) -> Row:
        town.collect()
        town.crowd(agents=30, evidence_every=20)
        until(town.any_stored, 60, "the first reports")
        for _ in track(
            town.database.kills(kind, cycles, rng), f"kill -9 {kind}", cycles, console=console
        ):
            pass
        sums = town.drain()
        _wait(12.0)  # so long may reads lack what was stored
        found = patient(lambda: row(f"openGemini: kill -9 of a {kind}", cycles, town, sums))
        differs = derived_alike(town.config, town.folder / "whole")
        if not differs:
            return found._replace(note="derived rows and figure equal")
        return found._replace(note=f"differs: {differs}", lost=max(found.lost, 1))

    return killed

"""The fault matrix: real processes are hurt, and every report is counted. `make faults`.

Each row ends when the agents have drained; then what they produced is held against what the
database and the quarantine have. A row fails where a report is lost or stored twice, or where
the keeper has derived other rows than one that derives the day whole.

Another broker takes Mosquitto's place where the environment names its program
(`services.OTHER_BROKER`), but not in the row whose count is Mosquitto's own log. The rows `store`,
`meta` and `sql` are there where SCHOOLPULSE_TEST_OPENGEMINI_CLUSTER names openGemini's programs.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from clustered import Clustered, derived_alike, patient
from cut import Link
from rich.console import Console
from rich.progress import track
from rich.table import Table
from town import SCHOOL, Database, Town, until

import gemini
import services
from agent import wire
from collector.service.pipeline import resend_request as again
from voice import Voice

_wait = threading.Event().wait
console = Console(width=150)


class Row(NamedTuple):
    """One fault's sums."""

    fault: str
    cycles: int
    produced: int
    stored: int
    twice: int
    held: int
    quarantined: int
    lost: int
    note: str = ""
    #: Rows that a whole derivation changes: what the keeper derived meanwhile must be the same.
    differ: int = 0


def row(fault: str, cycles: int, town: Town, sums: dict[str, int], note: str = "") -> Row:
    """Count: what was produced and is neither stored nor in quarantine is lost."""
    produced, stored = town.produced(), town.stored()
    missing = produced - stored.keys()
    counted = sums["dropped_telemetry"] + sums["dropped_evidence"] + sums["lost"]
    quarantined = town.quarantined()
    twice = sum(times - 1 for times in stored.values())
    lost = max(0, len(missing) - quarantined) + counted
    return Row(
        fault, cycles, len(produced | stored.keys()), len(stored), twice,
        sums["rows"], quarantined, lost, note, town.differ(),
    )  # fmt: skip


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


def links(town: Town, cycles: int, rng: random.Random) -> Row:
    """The agents' link is cut again and again within 30 s."""
    link = Link(town.broker.port)
    try:
        town.collect()
        town.crowd(agents=50, port=link.port)
        until(town.any_stored, 60, "the first reports")
        begun, dropped = time.monotonic(), 0
        for n in range(cycles):
            _wait(max(0.0, begun + (n + 1) * 30 / cycles - time.monotonic()))
            dropped += link.cut()
        found = row("link drops in 30 s", cycles, town, town.drain())
        return found._replace(note=f"{dropped} connections cut")
    finally:
        link.close()


def stampede(town: Town, cycles: int, rng: random.Random) -> Row:
    """1,000 agents lose their broker at one moment: it must not see them all in one second."""
    agents = 1000
    town.collect()
    town.crowd(agents=agents, report_s=20, patient=True)
    until(lambda: len(_logins(town)) >= agents, 120, "all agents")
    until(lambda: len(town.stored()) >= agents, 60, "their first reports")
    peak, back_s = 0, 0.0
    for _ in range(cycles):
        seen = len(_logins(town))
        town.broker.kill()
        _wait(rng.uniform(0.0, 1.0))
        town.broker.start()
        begun = time.time()
        until(lambda seen=seen: len(_logins(town)) >= seen + agents, 180, "all agents back")
        back = _logins(town)[seen:]
        peak = max(peak, *Counter(back).values())
        back_s = max(back_s, max(back) - begun)
    found = row("1,000 agents, broker restarted", cycles, town, town.drain())
    note = f"{peak} connects in a second at most, all back after {back_s:.0f} s"
    return found._replace(note=note, lost=found.lost if peak <= 100 else max(found.lost, 1))


def _logins(town: Town) -> list[int]:
    """When agents came, s since 1970 UTC, as the broker's own log has it."""
    lines = town.broker.log.read_text("utf-8", "replace").splitlines()
    found = (re.match(r"(\d+): New client connected from \S+ as [0-9a-f]{48} ", x) for x in lines)
    return [int(one[1]) for one in found if one]


def queue(town: Town, cycles: int, rng: random.Random) -> Row:
    """A broker that drops what exceeds ten queued messages, and a collector that stalls."""
    town.collect()
    town.crowd(agents=100)
    until(town.any_stored, 60, "the first reports")
    for _ in range(cycles):
        process = town.collectors[0]
        process.send_signal(signal.SIGSTOP)
        _wait(3.0)
        process.send_signal(signal.SIGCONT)
        _wait(1.0)
    sums = town.drain()
    dropped = _broker_dropped(town)
    return row("max_queued_messages 10", cycles, town, sums, f"the broker dropped {dropped}")


def _broker_dropped(town: Town) -> int:
    if services.other_broker():  # which have no $SYS
        return -1
    heard: list[int] = []
    with Voice(town.broker.port) as voice:
        client = voice._client
        client.message_callback_add("$SYS/#", lambda c, d, m: heard.append(int(m.payload)))
        client.subscribe("$SYS/broker/publish/messages/dropped")
        until(lambda: heard, 15, "$SYS")
    return heard[-1]


def poison(town: Town, cycles: int, rng: random.Random) -> Row:
    """One line that the database can never take, in a batch of 500."""
    # A field of another type in that week's shard: the server says so only at the write.
    old_ms = (time.time_ns() // 1_000_000) - 30 * 86_400_000
    town.database.ask('CREATE DATABASE "telemetry"')
    _write(town, f'host,school=x cpu_percent="poison" {old_ms * 1_000_000}')
    town.collect()
    now_ms = time.time_ns() // 1_000_000
    with Voice(town.broker.port) as voice:
        for number in range(2, 502):
            at = old_ms if number == 250 else now_ms + number
            report = wire.Report(v=1, time=at, readings=(wire.Host(cpu_percent=1.0),))
            topic = f"schoolpulse/v1/{SCHOOL}/{voice.machine}/report/{voice.boot}/{number}"
            voice._client.publish(topic, wire.encode(report), 1)
        until(lambda: len(voice.stored) == 500, 60, "500 receipts")
        keys = {(voice.machine, voice.boot, number) for number in range(2, 502)}
    stored = town.stored()
    # Of the poisoned report, its harmless agent line may stand beside the quarantined message.
    whole = {key for key in keys & stored.keys() if key[2] != 250}
    quarantined = town.quarantined()
    lost = 500 - len(whole) - quarantined
    twice = sum(times - 1 for times in stored.values())
    return Row("one poison line in 500", 1, 500, len(whole), twice, 0, quarantined, lost)


def _write(town: Town, line: str) -> None:
    import urllib.request

    url = f"{town.database.url}/write?db=telemetry&precision=ns"
    urllib.request.urlopen(url, line.encode(), timeout=10).close()


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


def restore(town: Town, cycles: int, rng: random.Random) -> Row:
    """The database is set back to its backup: evidence comes again, lost telemetry is told."""
    town.collect()
    town.crowd(agents=30, evidence_every=4)
    until(lambda: len(town.stored()) > 100, 60, "reports before the backup")
    backup = town.folder / "backup"
    asked_ms = time.time_ns() // 1_000_000
    town.database.backup(backup)
    saved = town.evidence()
    until(lambda: town.evidence() >= saved + 90, 60, "what the backup does not have")
    before = town.evidence()
    town.kill_collector(sign=signal.SIGTERM)
    town.database.restore(backup)
    after = town.evidence()
    again.ask(town.data, asked_ms - 3_600_000, time.time_ns() // 1_000_000)
    town.collect()
    until(lambda: town.evidence() >= before, 60, "what was lost, once more")
    produced = town.produced()  # a gap shows by what comes after it
    until(lambda: town.stored_beyond(produced), 60, "a later report of everybody")
    sums = town.drain()
    wanted, stored = town.produced(evidence=True), town.stored()
    lost = len(wanted - stored.keys()) + sums["lost"] + sums["dropped_evidence"]
    gone = len(town.produced() - stored.keys())
    note = (
        f"line tests {before} → {after} → {town.evidence()} of {len(wanted)}; telemetry lost {gone}"
    )
    listed = _gaps(town)
    return Row(
        "database restored from a backup", 1, len(wanted), len(wanted & stored.keys()),
        sum(times - 1 for times in stored.values()), sums["rows"], town.quarantined(),
        lost + abs(gone - listed), f"{note}, listed {listed}",
    )  # fmt: skip


def _gaps(town: Town) -> int:
    """How many reports the audit misses."""
    from collector.keeper.audit import audit
    from collector.store.factory import open_store

    with open_store(town.config) as store:
        return sum(found.missing for found in audit(store, [SCHOOL], 0, 2**62))


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


class Fault(NamedTuple):
    """A row of the matrix: what is done, how often, on which town."""

    run: Callable[[Town, int, random.Random], Row]
    cycles: int
    broker: str = ""
    group: str = ""
    database: Callable[[Path, contextlib.ExitStack], Any] = Database


FAULTS = {
    "kills": Fault(kills, 200),
    "outage": Fault(outage, 60),
    "broker": Fault(broker, 10),
    "links": Fault(links, 20),
    "stampede": Fault(stampede, 2),
    "queue": Fault(queue, 5, broker="max_queued_messages 10\n"),
    "poison": Fault(poison, 1),
    "two": Fault(two, 10, group="collectors"),
    "restore": Fault(restore, 1),
}
if gemini.PROGRAMS:
    FAULTS |= {
        kind: Fault(members(kind), 50, database=Clustered) for kind in ("store", "meta", "sql")
    }


def run(name: str, cycles: int | None = None, seed: int = 1) -> Row:
    """One row, in a town of its own."""
    fault = FAULTS[name]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as opened:
        town = Town(
            Path(folder), opened, broker=fault.broker, group=fault.group, database=fault.database
        )
        return fault.run(town, cycles or fault.cycles, random.Random(seed))


def table(rows: list[Row]) -> Table:
    """All rows."""
    made = Table(title=f"Faults, on {services.other_broker() or 'mosquitto'} and InfluxDB")
    heads = (
        "fault", "cycles", "produced", "stored", "twice", "held", "quarantined", "lost", "",
        "differ",
    )  # fmt: skip
    for head in heads:
        made.add_column(head, justify="left" if head in ("fault", "") else "right", overflow="fold")
    for found in rows:
        made.add_row(*map(str, found))
    return made


def main() -> int:
    """Run all, or those named; 1 where anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=" ".join(FAULTS))
    parser.add_argument("--cycles", type=int, help="instead of each row's own")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    console.print(f"seed {args.seed}")
    rows = []
    for name in args.names or FAULTS:
        rows.append(run(name, args.cycles, args.seed))
        console.print(rows[-1])
    console.print(table(rows))
    return int(any(found.lost or found.twice or found.held or found.differ for found in rows))


if __name__ == "__main__":
    sys.exit(main())

"""Messages are hurt: links cut, queues full, a line that no database takes, reports set back."""

from __future__ import annotations

import random
import re
import signal
import threading
import time
import urllib.request
from collections import Counter

from cut import Link
from fault_row import Row, row
from town import Town, until

import services
from agent import wire
from collector.keeper.audit import audit
from collector.service.pipeline import resend_request
from collector.store.factory import open_store
from one_school import SCHOOL
from voice import Voice

_wait = threading.Event().wait


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
    url = f"{town.database.url}/write?db=telemetry&precision=ns"
    urllib.request.urlopen(url, line.encode(), timeout=10).close()


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
    resend_request.ask(town.data, asked_ms - 3_600_000, time.time_ns() // 1_000_000)
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
    with open_store(town.config) as store:
        return sum(found.missing for found in audit(store, [SCHOOL], 0, 2**62))

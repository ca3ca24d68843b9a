"""Faults over a real broker: whatever is killed, every report is stored exactly once.

`SCHOOLPULSE_FAULT_S=20` lengthens every outage, for a run that takes its time.
"""

from __future__ import annotations

import re
import signal
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import services
from agent import wire
from agent.common.settings import Broker
from collector.config import Config
from collector.simulate.fleet import Fleet, FleetAgent
from collector.store.factory import FILE

SCHOOL = "9900000001"
AGENTS = 50
DRAIN_S = 400.0


@pytest.fixture
def fleet(broker: Any, tmp_path: Path) -> Iterator[Fleet]:
    """Fifty simulated PCs, a report a second each."""
    folder = tmp_path / "fleet"
    folder.mkdir()
    agents = [
        FleetAgent(SCHOOL, f"{n:032x}", lambda: (wire.Host(cpu_percent=1.0),))
        for n in range(1, AGENTS + 1)
    ]
    running = Fleet(Broker(port=broker.port), agents, folder, report_s=1.0)
    running.start()
    yield running
    running.stop()


def all_stored_once(fleet: Fleet, config: Config, kit: Any) -> None:
    """Nothing waits, and the store holds exactly what was produced."""
    fleet.quiet()
    kit.until(lambda: fleet.waiting() == 0, DRAIN_S, "the outboxes to be empty")
    stored = kit.reports_of(config)
    assert len(stored) == len(set(stored)), "stored twice"
    assert set(stored) == fleet.produced()
    assert len(stored) > AGENTS


@pytest.mark.slow
def test_kill_9_of_the_collector_loses_nothing(
    process: Any, fleet: Fleet, kit: Any, long_s: float
) -> None:
    process.enrol(SCHOOL)
    process.start()
    process.up()
    kit.until(lambda: len(kit.reports_of(process.config)) >= AGENTS, what="reports")
    assert process.signal(signal.SIGKILL) == -signal.SIGKILL
    made = len(fleet.produced())
    time.sleep(long_s)  # the outage itself
    assert len(fleet.produced()) > made, "the agents go on while the collector is dead"
    assert fleet.waiting() > 0
    process.start()
    process.up(2)
    all_stored_once(fleet, process.config, kit)


def test_sigterm_stores_what_is_in_hand_and_ends_in_time(
    process: Any, fleet: Fleet, kit: Any
) -> None:
    process.enrol(SCHOOL)
    process.start()
    process.up()
    kit.until(lambda: len(kit.reports_of(process.config)) >= AGENTS, what="reports")
    assert process.signal(signal.SIGTERM) == 0
    assert "collector_stopped" in process.log()
    process.start()
    process.up(2)
    all_stored_once(fleet, process.config, kit)


def _received(port: int) -> int:
    """How many messages a collector says it has got."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=120) as reply:
        told = reply.read().decode()
    found = re.search(r"^schoolpulse_received_total (\d+)$", told, re.MULTILINE)
    return int(found[1]) if found else 0


def test_sigterm_ends_in_time_though_the_store_does_not_answer(
    process: Any, voice: Any, kit: Any
) -> None:
    port = services.free_port()
    process.more = f'metrics = "127.0.0.1:{port}"'
    process.enrol(SCHOOL)
    process.start()
    process.up()
    other = sqlite3.connect(process.config.folder / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    pc = voice()
    pc.say(2, kit.report())
    kit.until(lambda: _received(port) == 1, what="the report in the collector's hands")
    assert process.signal(signal.SIGTERM) == 0, "and the store is locked still"
    assert pc.stored == set(), "no receipt for what is not stored"
    other.execute("ROLLBACK")
    other.close()


@pytest.mark.slow
def test_a_broker_that_dies_and_forgets_loses_nothing(
    city: Any, broker: Any, fleet: Fleet, kit: Any, long_s: float
) -> None:
    city.start()
    kit.until(lambda: len(city.reports()) >= AGENTS, what="reports")
    broker.kill()
    time.sleep(long_s)  # the outage itself
    assert not city.collector.wait_up(0)
    broker.start()
    assert city.collector.wait_up(kit.PATIENCE_S)
    all_stored_once(fleet, city.config, kit)


def test_a_store_that_is_locked_for_a_while_loses_nothing_and_hellos_are_answered(
    city: Any, fleet: Fleet, voice: Any, kit: Any, long_s: float, monkeypatch: Any
) -> None:
    monkeypatch.setattr("collector.store.sqlite._BUSY_S", 0.2)
    city.start()
    kit.until(lambda: len(city.reports()) >= AGENTS, what="reports")
    other = sqlite3.connect(city.folder / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    stored = len(city.reports())
    kit.until(lambda: city.collector.counts["store_errors"] > 0, what="the store's refusal")
    late = voice(machine="fe" * 16)
    late.say(1, wire.Hello(v=1, sent=5))
    kit.until(lambda: 1 in late.stored, what="the hello's receipt while the store is down")
    late.say(2, kit.report())
    time.sleep(long_s)  # the outage itself
    assert 2 not in late.stored
    assert len(city.reports()) == stored
    other.execute("ROLLBACK")
    other.close()
    late.say(2, kit.report(time_ms=1_767_600_000_000))
    kit.until(lambda: 2 in late.stored, what="a receipt after the outage")
    fleet.quiet()
    kit.until(lambda: fleet.waiting() == 0, DRAIN_S, "the outboxes to be empty")
    found = [key for key in city.reports() if key[0] != late.machine]
    assert len(found) == len(set(found))
    assert set(found) == fleet.produced()


def test_a_second_collector_on_the_same_file_is_refused(process: Any, kit: Any) -> None:
    process.enrol(SCHOOL)
    process.start()
    process.up()
    second = process.run("collect")
    assert second.returncode == 2
    assert str(process.folder / "data") in second.stderr
    assert "Traceback" not in second.stderr
    assert process.running.poll() is None, "the first one goes on"
    process.signal(signal.SIGKILL)
    process.start()
    process.up(2)


def test_an_import_reaches_a_running_collector_by_itself(
    process: Any, voice: Any, kit: Any
) -> None:
    process.enrol("9900000007")
    process.start()
    process.up()
    pc = voice()
    pc.say(2, kit.report())
    kit.until(lambda: pc.held == {2: "unknown_school"})
    process.enrol("9900000007", SCHOOL)
    kit.until(lambda: pc.policies, what="the policy of the imported school")
    pc.say(2, kit.report())
    kit.until(lambda: 2 in pc.stored)

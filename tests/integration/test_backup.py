"""A city that runs is saved, wiped and restored elsewhere: real broker, collector and agents.

What was stored at the backup is there again and gives the same figure; what the agents held
comes by itself, the evidence that they had a receipt for is asked for again, and the rest is said.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import services
from agent import wire
from agent.common.calendar import CITY_TIME
from agent.common.settings import Broker
from collector.config import load
from collector.simulate.fleet import Fleet, FleetAgent

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]
MACHINES = [f"{number:032x}" for number in range(1, 4)]
TODAY = dt.datetime.now(CITY_TIME).date()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Any]:
    folder = tmp_path / "broker"
    folder.mkdir()
    with services.broker("mosquitto", folder) as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("influxdb", marks=pytest.mark.influxdb)])
def store(request: pytest.FixtureRequest) -> Iterator[tuple[str, Callable[[], None]]]:
    """The settings of an empty store, and how it is wiped."""
    if request.param == "sqlite":
        yield "", lambda: None
        return
    server, name = request.getfixturevalue("influxdb"), uuid.uuid4().hex[:8]
    names = [f"{kind}-{name}" for kind in ("telemetry", "evidence")]

    def wipe() -> None:
        for one in names:
            server.drop(one)
            server.create(one)

    wipe()
    yield (
        f'[store]\nkind = "influxdb"\nurl = "{server.bare}"\n'
        f'telemetry = "{names[0]}"\nevidence = "{names[1]}"\n',
        wipe,
    )
    for one in names:
        server.drop(one)


def said_test(name: str) -> wire.LineTest:
    return wire.LineTest(test=name, line="线路1", outcome="ok", down_mbps=10.0)


def host(name: str) -> wire.Host:
    return wire.Host(cpu_percent=float(len(name)))


class Seen:
    """What the store of some settings holds of the agents."""

    def __init__(self, settings: Path) -> None:
        self._settings = settings

    def _points(self, measurement: str, kit: Any) -> list[Any]:
        return [
            point
            for point in kit.points_of(load(str(self._settings))[0], measurement)
            if point.tags.get("machine") in MACHINES
        ]

    def tests(self, kit: Any) -> set[tuple[str, str]]:
        return {(p.tags["machine"], str(p.fields["test"])) for p in self._points("line_test", kit)}

    def reports(self, kit: Any) -> list[tuple[str, str, int]]:
        return [
            (p.tags["machine"], str(p.fields["boot"]), int(p.fields["number"]))
            for p in self._points("agent", kit)
        ]


def test_backup_wipe_restore(
    process: Any, broker: Any, store: tuple[str, Callable[[], None]], kit: Any, tmp_path: Path
) -> None:
    settings, wipe = store
    process.tables = f'[figure]\ncutoff = "{TODAY - dt.timedelta(days=1)}"\n{settings}'
    made = process.run("simulate", "--schools", "2", "--days", "12")
    assert made.returncode == 0, made.stderr
    areas = json.loads(process.run("figure", "--json", "--simulated").stdout)["areas"]
    school = next(area["code"] for area in areas if area["level"] == "school")
    passphrase, file = tmp_path / "passphrase", tmp_path / "saved.backup"
    passphrase.write_text("a-passphrase-of-tests")
    process.start()
    process.up()
    agents = [FleetAgent(school, machine, lambda: (host(""),)) for machine in MACHINES]
    fleet = Fleet(Broker(port=broker.port), agents, tmp_path / "agents", 3600.0)
    (tmp_path / "agents").mkdir(exist_ok=True)
    fleet.start()
    try:
        _say_all(fleet, "before")
        kit.until(lambda: not fleet.waiting(), what="receipts")
        before = json.loads(process.run("figure", "--json", "--simulated").stdout)
        saved = _saved_while_reporting(process, fleet, file, passphrase)
        assert saved.returncode == 0, saved.stderr
        _say_all(fleet, "after")
        kit.until(lambda: not fleet.waiting(), what="receipts of what came after the backup")
        process.signal(signal.SIGKILL)
        held = _say_all(fleet, "held")
        assert fleet.waiting()

        while (process.folder / "data").exists():  # its keeper ends a moment later, and tidies up
            with suppress(OSError):
                shutil.rmtree(process.folder / "data")
        (process.folder / "collector.toml").unlink()
        wipe()
        process.folder = tmp_path / "elsewhere"
        process.folder.mkdir()
        new = process.folder / "collector.toml"
        words = ("--data", str(process.folder / "data"), "--passphrase-file", str(passphrase))
        argv = process.argv("restore", str(file), *words)
        new.unlink()  # it comes out of the backup
        restored = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert restored.returncode == 0, restored.stderr
        assert "遥测" in restored.stdout, "what is lost is said"
        assert json.loads(process.run("figure", "--json", "--simulated").stdout) == before

        seen = Seen(new)
        assert {test for _, test in seen.tests(kit)} == {"before"}
        process.start()
        process.up()
        everything = {(m, name) for m in MACHINES for name in ("before", "after", "held")}
        kit.until(lambda: seen.tests(kit) == everything, what="the evidence of all three times")
        kit.until(lambda: not fleet.waiting(), what="receipts of what was held")
        reports = seen.reports(kit)
        assert len(reports) == len(set(reports)), "nothing came twice"
        assert held <= set(reports), "all that was held came"
        assert json.loads(process.run("figure", "--json", "--simulated").stdout) == before
    finally:
        fleet.stop()


def _say_all(fleet: Fleet, name: str) -> set[tuple[str, str, int]]:
    """Each agent reports a test of the line, and its host."""
    said = set()
    for machine in MACHINES:
        boot = fleet._running[machine].outbox.boot
        said.add((machine, boot, fleet.put(machine, (said_test(name),), evidence=True)))
        said.add((machine, boot, fleet.put(machine, (host(name),))))
    return said


def _saved_while_reporting(process: Any, fleet: Fleet, file: Path, passphrase: Path) -> Any:
    stop = threading.Event()

    def report() -> None:
        while not stop.wait(0.05):
            for machine in MACHINES:
                fleet.put(machine, (host("meanwhile"),))

    reporting = threading.Thread(target=report)
    reporting.start()
    try:
        return process.run("backup", str(file), "--passphrase-file", str(passphrase))
    finally:
        stop.set()
        reporting.join()


def test_a_running_collector_takes_up_the_request(process: Any, voice: Any, kit: Any) -> None:
    process.enrol(kit.SCHOOL)
    process.start()
    process.up()
    asked = process.run("ask-again", "--since", "2026-11-20T08:00")
    assert asked.returncode == 0, asked.stderr
    pc, number = voice(), 1

    def told() -> bool:
        nonlocal number
        pc.say(1, wire.Hello(v=1, sent=number))
        number += 1
        return any(receipt.again_since for receipt in pc.receipts)

    kit.until(told)
    wanted = dt.datetime(2026, 11, 20, 8, tzinfo=CITY_TIME).timestamp() * 1000
    [since] = {receipt.again_since for receipt in pc.receipts if receipt.again_since}
    assert 0 < wanted - since <= 1000

"""A school's credentials change while its PCs work: a real Mosquitto with TLS and accounts, the
collector, and agents' links as they are installed from the bundle; none is ever locked out."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import services
from agent import config as agent_config
from agent import renewed, wire
from agent.clock import Clock
from agent.mqtt import Link, Loop, Sender, State
from agent.outbox import Limits, Outbox
from collector.config import load
from collector.enrol import brokering, seen
from collector.roster.book import RegisterBook
from collector.service import Collector
from collector.store.factory import open_store
from enrolled_broker import mosquitto
from enrolled_city import EnrolledCity
from voice import until

SCHOOL, OTHER = "9901020001", "9901020002"
PCS = 40
STOPPED, RESTORED = 0, 1  # one is off for a while, one has a restore card


@dataclass
class Pc:
    """One PC: what was installed, what it wrote since, and its link while it runs."""

    number: int
    folder: Path
    loop: Loop
    outbox: Outbox | None = None
    link: Link | None = None

    @property
    def machine(self) -> str:
        return f"{self.number:032x}"

    def install(self, bundle: Path) -> None:
        """Unpack the bundle; the data folder is left as it is."""
        with zipfile.ZipFile(bundle) as found:
            found.extractall(self.folder / "etc")
        for name in ("broker.password", "line.key", "source.key"):
            (self.folder / "etc" / name).chmod(0o400)
        settings = self.folder / "etc/agent.toml"
        data = f"data = {json.dumps(str(self.folder / 'data'))}\n"
        settings.write_text(data + settings.read_text())

    def start(self) -> None:
        """Boot: a new outbox of the same file, the accounts from the disk."""
        config, warnings = agent_config.load(str(self.folder / "etc/agent.toml"))
        assert warnings == []
        config.folder.mkdir(exist_ok=True)
        clock = Clock()
        limits = Limits(reserve=False)
        self.outbox = Outbox(config.folder / "outbox.db", self.machine, clock, limits=limits)
        sender = Sender(config.school, self.machine)
        accounts = renewed.accounts(config)
        self.link = Link(accounts, sender, self.outbox, clock, self.loop)
        self.link.start()

    def stop(self) -> None:
        if self.link is not None:
            self.link.stop()
        if self.outbox is not None:
            self.outbox.close()
        self.link = self.outbox = None

    def reboot(self) -> None:
        """With a restore card all that was written is gone."""
        self.stop()
        if self.number == RESTORED:
            shutil.rmtree(self.folder / "data")
        self.start()

    def report(self) -> None:
        assert self.outbox is not None
        self.outbox.put([wire.AgentHealth(version="test"), wire.Host(cpu_percent=1.0)])

    @property
    def waiting(self) -> int:
        assert self.outbox is not None
        return self.outbox.counts().rows


@dataclass
class Running:
    """A city at work."""

    city: EnrolledCity
    pcs: list[Pc]
    broker: subprocess.Popen[bytes]

    def all_report(self, but: tuple[int, ...] = ()) -> None:
        """Each PC that runs makes a report, and each report gets its receipt."""
        here = [pc for pc in self.pcs if pc.number not in but]
        for pc in here:
            pc.report()
        until(lambda: not any(pc.waiting for pc in here), what="receipts")

    def said(self, generation: int, *, kept: bool | None = None) -> set[int]:
        """PCs that hold it."""
        rows = seen.read(self.city.place.seen).get(SCHOOL, ())
        return {
            int(row.machine, 16)
            for row in rows
            if row.generation == generation and kept in (None, bool(row.kept))
        }

    def generations(self) -> list[int]:
        with self.city.state() as state:
            return [one.generation for one in state.held()[SCHOOL].all]


@contextmanager
def collecting(city: EnrolledCity) -> Iterator[Collector]:
    config = load(str(city.file))[0]
    with open_store(config) as store:
        book = RegisterBook(city.place.data / "register.db")
        made = Collector(config, store, book.load, version=book.version)
        made.start()
        assert made.wait_up(services.PATIENCE_S)
        yield made
        made.stop()


@contextmanager
def settling(city: EnrolledCity) -> Iterator[subprocess.Popen[bytes]]:
    """The service, with no other password than the administrator's."""
    own = {
        "SCHOOLPULSE_MQTT_USERNAME": "admin",
        "SCHOOLPULSE_MQTT_PASSWORD_FILE": str(city.place.password("admin")),
    }
    away = [city.place.password(name) for name in ("keeper", "doctor", "lineserver")]
    for path in away:
        path.rename(path.with_suffix(".away"))
    words = ["enrol", "settle", "--every", "0.2", "--config", str(city.file)]
    argv = [sys.executable, "-m", "collector.cli", *words]
    with subprocess.Popen(argv, env=os.environ | own) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            for path in away:
                path.with_suffix(".away").rename(path)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    city = EnrolledCity(tmp_path / "city", services.free_port())
    assert city.setup("--name", "localhost", "--alt", "127.0.0.1") == 0
    city.roster(SCHOOL, OTHER)
    assert city.enrol("--all") == 0
    loop = Loop("pcs")
    pcs = [Pc(number, tmp_path / f"pc-{number}", loop) for number in range(PCS)]
    with ExitStack() as opened:
        broker = opened.enter_context(mosquitto(city))
        opened.enter_context(collecting(city))
        loop.start()
        opened.callback(loop.stop)
        for pc in pcs:
            pc.install(city.bundles / f"schoolpulse-{SCHOOL}.zip")
            pc.start()
            opened.callback(pc.stop)
        yield Running(city, pcs, broker)


@pytest.mark.mosquitto
@pytest.mark.slow
def test_forty_pcs_a_stopped_one_and_a_restore_card(running: Running, capsys: Any) -> None:
    everybody = set(range(PCS))
    city, pcs = running.city, running.pcs
    running.all_report()
    until(lambda: running.said(1) == everybody)
    pcs[STOPPED].stop()

    assert city.enrol("rotate", SCHOOL) == 0
    until(lambda: running.said(2) == everybody - {STOPPED}, what="told without a new boot")
    running.all_report(but=(STOPPED,))
    assert city.enrol("settle") == 0
    assert running.generations() == [1, 2]

    for pc in pcs[1:]:
        pc.reboot()
    running.all_report(but=(STOPPED,))
    moved = everybody - {STOPPED, RESTORED}
    until(lambda: running.said(2, kept=True) == moved, what="kept over a boot")
    until(lambda: RESTORED in running.said(2, kept=False))
    assert city.enrol("settle") == 0
    assert running.generations() == [1, 2]

    pcs[STOPPED].start()
    until(lambda: STOPPED in running.said(2), what="the stopped one came in by the former account")
    running.all_report()
    pcs[STOPPED].reboot()
    until(lambda: STOPPED in running.said(2, kept=True))
    capsys.readouterr()
    assert city.enrol("list", "--json") == 0
    rows = {row["school"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows[SCHOOL]["behind"] == [pcs[RESTORED].machine]
    assert rows[OTHER]["behind"] == []

    pcs[RESTORED].stop()
    pcs[RESTORED].install(city.bundles / f"schoolpulse-{SCHOOL}.zip")  # its image made anew
    shutil.rmtree(pcs[RESTORED].folder / "data")
    pcs[RESTORED].start()
    until(lambda: running.said(2, kept=True) == everybody)
    with settling(city) as service:
        until(lambda: running.generations() == [2], what="the service ends the former one")
    assert service.returncode == 0
    held = brokering.control(city.place, city.config.mqtt).usernames()
    assert SCHOOL not in held
    assert f"{SCHOOL}-2" in held
    for pc in pcs:
        pc.reboot()
    running.all_report()
    assert city.enrol("check") == 0


@pytest.mark.mosquitto
@pytest.mark.slow
def test_revoked_is_out_and_only_a_new_bundle_brings_it_back(running: Running) -> None:
    city, pcs = running.city, running.pcs[:3]
    for pc in running.pcs[3:]:
        pc.stop()
    running.pcs = pcs
    running.all_report()
    assert city.enrol("revoke", SCHOOL, "--why", "被盗") == 0
    until(lambda: all(pc.link is not None and pc.link.error for pc in pcs), what="thrown out")
    for pc in pcs:
        pc.reboot()
    until(lambda: all(pc.link is not None and "efused" in pc.link.error for pc in pcs))
    assert not any(pc.link is not None and pc.link.state is State.READY for pc in pcs)
    assert city.enrol(SCHOOL) == 0
    for pc in pcs:
        pc.stop()
        pc.install(city.bundles / f"schoolpulse-{SCHOOL}.zip")
        pc.start()
    running.all_report()
    until(lambda: len(running.said(2)) == len(pcs))


@pytest.mark.mosquitto
@pytest.mark.slow
def test_the_ca_changes_under_pcs_that_work(running: Running, capsys: Any) -> None:
    city, pcs = running.city, running.pcs[2:7]
    running.all_report()
    until(lambda: len(running.said(1)) == PCS)
    for pc in running.pcs:
        if pc not in pcs:
            pc.stop()
    running.pcs = pcs
    first = city.place.ca.read_text()
    assert city.ca("renew") == 0
    both = city.place.ca.read_text()

    def trusting(pem: str, *, kept: bool) -> bool:
        rows = {row.machine: row for row in seen.read(city.place.seen)[SCHOOL]}
        found = [rows[pc.machine] for pc in pcs]
        return all(row.ca == wire.ca_digest(pem) and row.kept >= kept for row in found)

    until(lambda: trusting(both, kept=False), what="told without a new boot")
    for pc in pcs:
        pc.reboot()
    until(lambda: trusting(both, kept=True))
    assert city.ca("renew", "--sign") == 2  # those that are off would be locked out
    assert f"{PCS - len(pcs)} 台" in capsys.readouterr().err
    assert city.ca("renew", "--sign", "--force") == 0
    assert "reload" in capsys.readouterr().out
    assert city.place.ca.read_text() == both  # the city's own services go on
    running.all_report()
    running.broker.send_signal(signal.SIGHUP)
    until(lambda: brokering.presents(city.place, city.config.mqtt))
    assert city.ca("renew", "--sign") == 0
    after = city.place.ca.read_text()
    assert both == first + after
    until(lambda: trusting(after, kept=False), what="told that the former CA is over")
    for pc in pcs:
        pc.reboot()
    running.all_report()
    until(lambda: trusting(after, kept=True))
    assert city.enrol("check") == 0

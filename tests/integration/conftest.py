"""A whole city on this machine: a real broker, the collector, hand-made and real agents."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import services
from agent import wire
from agent.common.settings import Broker
from agent.mqtt import hello, link, reconnect
from agent.outbox import window
from collector.config import Config
from collector.roster.book import RegisterBook
from collector.roster.register import Line, Register, School
from collector.roster.sheets import errors, read_folder
from collector.service import Collector
from collector.store.base import Point, Store
from collector.store.factory import open_store
from voice import PATIENCE_S, Voice, until

SCHOOL, OTHER = "9900000001", "9900000002"
FOREVER = 2**62


def report(*readings: wire.Reading, time_ms: int | None = None, **more: Any) -> wire.Report:
    """A report of now."""
    at = time.time_ns() // 1_000_000 if time_ms is None else time_ms
    return wire.Report(v=1, time=at, readings=readings or (wire.Host(cpu_percent=1.0),), **more)


def register(*codes: str) -> Register:
    """A register of these schools, each with a line, and nothing else."""
    return Register(
        schools={code: School(code, "示例小学", "630102", "小学", "630102") for code in codes},
        lines=[Line(code, "l1", "本部") for code in codes],
    )


@dataclass
class City:
    """The collector in this process, on SQLite, against a real broker."""

    broker: Any
    folder: Path
    register: Register = field(default_factory=lambda: register(SCHOOL))
    collector: Collector | None = None
    store: Store | None = None

    @property
    def settings(self) -> Broker:
        return Broker(port=self.broker.port)

    @property
    def config(self) -> Config:
        return Config(data=str(self.folder), mqtt=self.settings, accept_simulated=True)

    def start(self, store: Store | None = None) -> Collector:
        self.store = store or open_store(self.config)
        self.collector = Collector(self.config, self.store, lambda: self.register)
        self.collector.start()
        assert self.collector.wait_up(PATIENCE_S)
        return self.collector

    def stop(self) -> None:
        if self.collector is not None:
            self.collector.stop()
        if self.store is not None:
            self.store.close()
        self.collector = self.store = None

    def points(self, measurement: str) -> list[Point]:
        return points_of(self.config, measurement)

    def reports(self) -> list[tuple[str, str, int]]:
        """(machine, boot, number) of every `agent` point."""
        return reports_of(self.config)


def points_of(config: Config, measurement: str) -> list[Point]:
    """All points of a measurement, read by a connection of its own."""
    with open_store(config) as store:
        return list(store.read(measurement, 0, FOREVER))


def reports_of(config: Config) -> list[tuple[str, str, int]]:
    """(machine, boot, number) of every `agent` point: twice where it is stored twice."""
    return [
        (point.tags["machine"], str(point.fields["boot"]), int(point.fields["number"]))
        for point in points_of(config, "agent")
    ]


_SHEETS = {
    "schools": "code,name,district,type,responsible",
    "campuses": "school,campus",
    "lines": "school,line,campus,contract_mbps",
    "rooms": "school,campus,room,type",
    "classes": "school,class,rooms",
}


def write_sheets(folder: Path, *codes: str) -> Path:
    """A register's folder with these schools, ready to be imported."""
    folder.mkdir(exist_ok=True)
    rows = dict.fromkeys(_SHEETS, "")
    rows["schools"] = "".join(f"{code},示例{code},630102,小学,630102\n" for code in codes)
    rows["campuses"] = "".join(f"{code},本部\n" for code in codes)
    for name, heading in _SHEETS.items():
        (folder / f"{name}.csv").write_text(f"{heading}\n{rows[name]}", encoding="utf-8")
    return folder


@dataclass
class Process:
    """`schoolpulse` commands as real processes, with a config file of their own."""

    folder: Path
    port: int
    running: subprocess.Popen[bytes] | None = None
    more: str = ""  # top-level settings
    tables: str = ""  # tables of settings

    @property
    def config(self) -> Config:
        return Config(data=str(self.folder / "data"), mqtt=Broker(port=self.port))

    def argv(self, *words: str) -> list[str]:
        settings = self.folder / "collector.toml"
        settings.write_text(
            f'data = "{self.folder / "data"}"\nkeeper_s = 1.0\naccept_simulated = true\n'
            f"{self.more}\n"
            f"[mqtt]\nport = {self.port}\n{self.tables}"
        )
        return [sys.executable, "-m", "collector.cli", *words, "--config", str(settings)]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*words), capture_output=True, text=True, timeout=240, check=False
        )

    def enrol(self, *codes: str) -> None:
        """Import a register of these schools."""
        rows, problems = read_folder(write_sheets(self.folder / "sheets", *codes))
        assert not errors(problems), problems
        RegisterBook(self.config.folder / "register.db").import_rows(rows, who="test")

    def member(self, n: int, *codes: str) -> Process:
        """A collector of the same group, in a folder of its own."""
        one = Process(self.folder / f"c{n}", self.port, tables=self.tables)
        one.folder.mkdir()
        one.enrol(*codes)
        return one

    def start(self) -> None:
        with (self.folder / "collect.log").open("ab") as log:
            self.running = subprocess.Popen(self.argv("collect"), stderr=log)

    def up(self, times: int = 1) -> None:
        """Wait until it has connected for the `times`th time."""
        said = ("listening=True", "listening=False")
        until(
            lambda: self._dead() or min(map(self.log().count, said)) >= times,
            what="ear and mouth",
        )
        assert not self._dead(), self.log()

    def _dead(self) -> bool:
        return self.running is None or self.running.poll() is not None

    def log(self) -> str:
        path = self.folder / "collect.log"
        return path.read_text("utf-8") if path.exists() else ""

    def signal(self, sign: signal.Signals) -> int:
        """Send it, and wait for the end; the exit code."""
        assert self.running is not None
        self.running.send_signal(sign)
        code = self.running.wait(120)
        self.running = None
        return code

    def end(self) -> None:
        if self.running is not None and self.running.poll() is None:
            self.signal(signal.SIGKILL)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agents that try again after a second or two, not after ten to three hundred.

    Those that have tried often wait longer: on a slow machine their haste would be all its work.
    """
    for module, name, seconds in (
        (window, "PATIENCE", 1.0),
        (window, "BASE", 0.5),
        (window, "CAP", 30.0),
        (hello, "PATIENCE", 1.0),
        (hello, "BASE", 0.5),
        (hello, "CAP", 30.0),
        (reconnect, "CAP_S", 1.0),
        (link, "_FIVE_ANSWER_S", 0.5),
    ):
        monkeypatch.setattr(module, name, seconds)


@pytest.fixture(params=["mosquitto", "amqtt"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """Both brokers that the house supports, each a process of its own."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with services.broker(request.param, folder) as running:
        yield running


@pytest.fixture
def city(broker: Any, tmp_path: Path) -> Iterator[City]:
    """A city whose collector the test starts."""
    made = City(broker, tmp_path / "data")
    yield made
    made.stop()


@pytest.fixture
def process(broker: Any, tmp_path: Path) -> Iterator[Process]:
    """`schoolpulse collect` as a process that the test starts."""
    made = Process(tmp_path, broker.port)
    yield made
    made.end()


@pytest.fixture
def voice(broker: Any) -> Iterator[Callable[..., Voice]]:
    """Makes PCs played by hand."""
    made: list[Voice] = []

    def make(**more: Any) -> Voice:
        made.append(Voice(broker.port, **more).__enter__())
        return made[-1]

    yield make
    for one in made:
        one.__exit__()


@pytest.fixture(scope="session")
def long_s() -> float:
    """How long faults last, s: SCHOOLPULSE_FAULT_S, by default short enough for every day."""
    return float(os.environ.get("SCHOOLPULSE_FAULT_S", "3"))


@pytest.fixture(scope="session")
def kit() -> Any:
    """The helpers above, for tests: they are no package and cannot import this file."""
    return sys.modules[__name__]

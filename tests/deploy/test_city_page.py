"""docs/deploy/city.md, command by command: from an empty folder to the figure of three schools.

Real Mosquitto over TLS, InfluxDB, collector and measurement server in the city's network namespace;
three schools, each a PC behind a router whose line is shaped.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import influx_server
import services
import shaped

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/deploy/city.md"
PROGRAMS = Path(sys.executable).parent
CITY = "10.97.0.1"
#: Of one line each: at a school with two, a PC tests none until its room is known.
SCHOOLS = {"9963020002": 8.0, "9963020003": 10.0, "9963020004": 20.0}
#: Blocks that need a systemd or a package index; setup's plain commands stand in for them.
ELSEWHERE = ("apt ", "systemctl ", "make ", "schoolpulse-agent install ")
_INFLUXD = influx_server.SETTINGS


def blocks() -> list[list[str]]:
    """The page's commands, by fence."""
    found = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [[line for line in block.splitlines() if line.strip()] for block in found]


class Town:
    """Namespaces, folders and the programs that run in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"sc{secrets.token_hex(2)}"
        self.commands = 0
        self._running: list[subprocess.Popen[bytes]] = []
        self._spaces: list[str] = []
        self._environment: dict[str, str] = {}

    def space(self, part: str) -> str:
        shaped.make_space(self.name + part)
        self._spaces.append(self.name + part)
        return self.name + part

    def close(self) -> None:
        for log in self.folder.glob("log*"):
            print(f"-- {log.name}\n{log.read_text()[-1500:]}")
        for process in reversed(self._running):
            os.killpg(process.pid, signal.SIGTERM)
        for process in self._running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for space in self._spaces:
            subprocess.run(["ip", "netns", "del", space], capture_output=True)

    def wire(self) -> None:
        """PC - router - city for each school; both of the router's ways out are shaped."""
        city = self.space("c")
        shaped.run("ip", "-n", city, "addr", "add", f"{CITY}/32", "dev", "lo")
        for at, mbps in enumerate(SCHOOLS.values(), 1):
            router, pc = self.space(f"r{at}"), self.space(f"p{at}")
            for net, (end, host) in {f"10.98.{at}": (pc, 2), f"10.97.{at}": (city, 2)}.items():
                near, far = f"{self.name}{at}{net[4]}n", f"{self.name}{at}{net[4]}f"
                shaped.run("ip", "link", "add", near, "netns", end,
                           "type", "veth", "peer", "name", far, "netns", router)  # fmt: skip
                for space, link, number in ((end, near, host), (router, far, 1)):
                    address = f"{net}.{number}/24"
                    shaped.run("ip", "-n", space, "addr", "add", address, "dev", link)
                    shaped.run("ip", "-n", space, "link", "set", link, "up")
                    inside = ["ip", "netns", "exec", space, sys.executable, "-c"]
                    shaped.run(*inside, shaped._OFFLOAD_OFF, link)
                bits = int(mbps * 1e6)
                shaped.run("ip", "netns", "exec", router, "tc", "qdisc", "replace", "dev", far,
                           "root", "tbf", "rate", f"{bits}bit", "burst",
                           str(bits // 8 * 4 // 1000 + 1600), "limit", str(bits // 80))  # fmt: skip
            shaped.run("ip", "-n", pc, "route", "add", "default", "via", f"10.98.{at}.1")
            shaped.run("ip", "-n", router, "route", "add", CITY, "via", f"10.97.{at}.2")
            shaped.run("ip", "-n", city, "route", "add", f"10.98.{at}.0/24", "via", f"10.97.{at}.1")
            forward = ["ip", "netns", "exec", router, sys.executable, "-c", shaped._WRITE]
            shaped.run(*forward, "/proc/sys/net/ipv4/ip_forward", "1")

    def place(self) -> None:
        """The machine's folders, and wrappers that say where they are."""
        (self.folder / "bin").mkdir()
        conf = _INFLUXD.format(rpc=8088, port=8086, folder=self.folder / "influx", accounts="false")
        (self.folder / "influxdb.conf").write_text(conf)
        own = f"--folder {self.folder}/etc --data {self.folder}/data"
        settings = self.folder / "etc/collector.toml"
        wrapper = self.folder / "bin/schoolpulse"
        wrapper.write_text(
            f'#!/bin/sh\ncase "$1" in\nsetup) exec {PROGRAMS}/schoolpulse "$@" {own};;\n'
            f'*) exec {PROGRAMS}/schoolpulse "$@" --config {settings};;\nesac\n'
        )
        wrapper.chmod(0o755)
        done = subprocess.run(
            [PROGRAMS / "schoolpulse", "roster", "sample", "--out", self.folder / "sample"]
        )
        assert done.returncode == 0

    def run(self, line: str, space: str, folder: Path, **more: str) -> str:
        """One command of the page; what it printed. `&`: it goes on running."""
        self.commands += 1
        for shown, here in (
            ("/etc/influxdb/", f"{self.folder}/"), ("/etc/schoolpulse", f"{self.folder}/etc"),
            ("/var/lib/schoolpulse", f"{self.folder}/data"), ("broker.city", CITY),
            ("register.xlsx", f"{self.folder}/sample {' '.join(f'--school {s}' for s in SCHOOLS)}"),
        ):  # fmt: skip
            line = line.replace(shown, here)
        if set_ := re.match(r"export (\w+)=(\S+)$", line):
            self._environment[set_[1]] = set_[2]
            return ""
        path = f"{self.folder}/bin:{PROGRAMS}:{os.environ['PATH']}:{services.PATHS}"
        environment = {**os.environ, "PATH": path, "SCHOOLPULSE_LANG": "en", **self._environment,
                       **more}  # fmt: skip
        words = ["ip", "netns", "exec", self.name + space, "bash", "-c", line.removesuffix("&")]
        if line.endswith("&"):
            log = (self.folder / f"log{len(self._running)}").open("wb")
            self._running.append(
                subprocess.Popen(words, cwd=folder, env=environment, stdout=log, stderr=log,
                                 stdin=subprocess.DEVNULL, start_new_session=True)
            )  # fmt: skip
            return ""
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=services.PATIENCE_S)  # fmt: skip
        print(f"$ {line}\n{done.stdout}{done.stderr}")
        if "doctor" not in line:
            assert done.returncode == 0, done.stderr
        return done.stdout

    def listening(self, *ports: int) -> None:
        """Wait until the city's servers answer."""
        at = [("127.0.0.1" if port == 8086 else CITY, port) for port in ports]
        probe = f"import socket; [socket.create_connection(p, 2).close() for p in {at}]"
        until(lambda: not subprocess.run(
            ["ip", "netns", "exec", f"{self.name}c", sys.executable, "-c", probe],
            capture_output=True).returncode, f"ports {ports}")  # fmt: skip


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + services.PATIENCE_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.3)


@pytest.fixture
def town() -> Iterator[Town]:
    for name in ("mosquitto", "influxd", "unzip"):
        services.require(name)
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("tc"):
        pytest.skip("network namespaces need root, ip and tc (iproute2)")
    # Not pytest's folder: Mosquitto gives root up, and could not enter it.
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="schoolpulse-city-")))
        folder.chmod(0o755)
        made = Town(folder)
        opened.callback(made.close)
        try:
            made.wire()
        except shaped.NoLabError as error:
            pytest.skip(str(error))
        made.place()
        yield made


@pytest.mark.slow
@pytest.mark.netns
@pytest.mark.mosquitto
@pytest.mark.influxdb
def test_the_page_leads_from_nothing_to_the_figure(town: Town) -> None:
    began = time.monotonic()
    tried = [block for block in blocks() if not block[0].startswith(ELSEWHERE)]
    pc = next(block for block in tried if block[0].startswith("unzip"))
    figure = tried[-1]
    for block in tried[: tried.index(pc)]:
        for line in block:
            town.run(line, "c", town.folder)
            if line.startswith("mosquitto"):
                town.listening(8086, 8883)
    town.listening(8095)
    town._environment.clear()
    rates = {code: school(town, at, code, pc) for at, code in enumerate(SCHOOLS, 1)}
    commands = town.commands
    for code, rate in SCHOOLS.items():
        assert rates[code] == pytest.approx(rate, rel=0.05), code
    said = town.run(f"{figure[0]} --json", "c", town.folder)
    units = json.loads(said)
    until(lambda: receipts(town) == set(SCHOOLS), "a receipt for each school")
    print(f"{commands + 1} commands, {(time.monotonic() - began) / 60:.1f} minutes; {rates}")
    city = next(area for area in units["areas"] if area["level"] == "city")
    assert city["indicators"]["line"]["all"] == len(SCHOOLS)


def school(town: Town, at: int, code: str, commands: list[str]) -> float:
    """The commands of one PC; the download rate that its line test read, in Mbit/s."""
    folder = town.folder / f"pc{at}"
    folder.mkdir()
    shutil.copy(town.folder / f"data/bundles/schoolpulse-{code}.zip", folder)
    said = ""
    for line in commands:
        if "-agent line" in line:
            until(lambda: status(town, code).get("server"), f"{code}: its policy")
        here = line.replace("9963020002", code) + (" --json" if "-agent line" in line else "")
        said = town.run(here, f"p{at}", folder, SCHOOLPULSE_DATA=str(folder / "data"))
    return float(json.loads(said)["down_mbps"])


def receipts(town: Town) -> set[str]:
    """Schools whose PC has a receipt from the collector."""
    return {code for code in SCHOOLS if status(town, code).get("last_receipt")}


def status(town: Town, code: str) -> dict[str, Any]:
    """What the school's running agent says of itself; nothing yet, at first."""
    file = town.folder / f"pc{list(SCHOOLS).index(code) + 1}/data/status.json"
    return dict(json.loads(file.read_bytes())) if file.exists() else {}

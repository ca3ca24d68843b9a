"""The agent at rest: memory and processor time over TLS, with every probe, as `make bench` prints.

A real mosquitto with a CA of its own, a real collector on SQLite, and this machine's agent with
the settings it ships with, from an install of its own: a developer's environment holds libraries
that the agent's would pick up. What other agents cost stands beside it, as measured elsewhere.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

import base_install
import services

SCHOOL = "9963020001"
RSS_MB, CPU_PERCENT = 30.0, 0.2
#: Telegraf 1.39.3 (cpu, mem, disk, diskio, net, system, processes → MQTT), on a machine like this.
TELEGRAF_MB, TELEGRAF_ANON_MB = 157, 31


class Rest(NamedTuple):
    """What the resident agent cost: MB of RSS over time, percent of one core."""

    rss_mb: list[float]
    anonymous_mb: float
    cpu_percent: float
    reports: int


def main() -> int:
    """Measure and print; 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder, _city(Path(folder)) as (agent, store):
        rest = _watch(agent, minutes, store)
    _print(rest, minutes)
    return int(max(rest.rss_mb) > RSS_MB or rest.cpu_percent > CPU_PERCENT)


def _certificates(folder: Path) -> None:
    """A CA, and a server certificate of it for localhost."""
    steps = (
        "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=bench-ca -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost"
        " -keyout server.key -out server.csr",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30"
        " -copy_extensions copy -out server.pem",
    )
    for step in steps:
        words = ["openssl", *step.split()]
        subprocess.run(words, cwd=folder, check=True, capture_output=True)


def _settings(folder: Path, port: int) -> None:
    broker = f'host = "localhost"\nport = {port}\ntls = true\nca = "{folder}/ca.pem"\n'
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
        f"certfile {folder}/server.pem\nkeyfile {folder}/server.key\n"
    )
    (folder / "agent.toml").write_text(
        f'school = "{SCHOOL}"\ndata = "{folder}/agent"\n[broker]\n{broker}'
    )
    (folder / "collector.toml").write_text(f'data = "{folder}/city"\n[mqtt]\n{broker}')


@contextlib.contextmanager
def _city(folder: Path) -> Iterator[tuple[psutil.Process, Path]]:
    """A broker, a collector and the agent; the agent's process and the store's file."""
    port = services.free_port()
    _certificates(folder)
    _settings(folder, port)
    city = [sys.executable, "-m", "collector.cli"]
    settings = ["--config", f"{folder}/collector.toml"]
    subprocess.run([*city, "roster", "sample", "--out", f"{folder}/sheets"], check=True)
    subprocess.run([*city, "roster", "import", f"{folder}/sheets", *settings], check=True)
    agent = [str(base_install.make(folder) / "schoolpulse-agent")]
    agent += ["run", "--config", f"{folder}/agent.toml"]
    log = folder / "log"
    broker = [services.require("mosquitto"), "-c", f"{folder}/mosquitto.conf"]
    with services.started(broker, log) as process:
        services.wait_port(port, process)
        with (
            services.started([*city, "collect", *settings], log),
            services.started(agent, log) as running,
        ):
            yield psutil.Process(running.pid), folder / "city/schoolpulse.db"


def _watch(agent: psutil.Process, minutes: float, store: Path) -> Rest:
    """Sample the agent every two seconds; processor time counts from its second minute on."""
    wait = threading.Event().wait
    rounds = int(minutes * 30)
    settled = min(30, rounds // 2)
    rss, started_at = [], 0.0
    for number in track(range(rounds), description=f"agent at rest, {minutes:g} min"):
        if number == settled:
            started_at = sum(agent.cpu_times()[:2])
        wait(2)
        rss.append(agent.memory_info().rss / 1e6)
    busy = sum(agent.cpu_times()[:2]) - started_at
    anonymous = sum(area.anonymous for area in agent.memory_maps()) / 1e6
    return Rest(rss, anonymous, 100 * busy / (2 * (rounds - settled)), _stored(store))


def _stored(store: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM agent").fetchone()[0])


def _print(rest: Rest, minutes: float) -> None:
    table = Table(title=f"The agent at rest, {minutes:g} min over TLS ({os.uname().machine})")
    for heading in ("", "SchoolPulse agent", "limit", "Telegraf 1.39.3, seen elsewhere"):
        table.add_column(heading, justify="right" if heading else "left")
    median, most = statistics.median(rest.rss_mb), max(rest.rss_mb)
    last = f"{rest.rss_mb[-1]:.2f}"
    table.add_row("RSS at the end, MB", last, f"{RSS_MB:g}", f"{TELEGRAF_MB}")
    table.add_row("RSS median / most, MB", f"{median:.2f} / {most:.2f}", "", "")
    anonymous = f"{rest.anonymous_mb:.2f}"
    table.add_row("of it anonymous, MB", anonymous, "", f"{TELEGRAF_ANON_MB}")
    table.add_row("CPU, % of a core", f"{rest.cpu_percent:.3f}", f"{CPU_PERCENT:g}", "")
    table.add_row("reports stored", f"{rest.reports}", "", "")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())

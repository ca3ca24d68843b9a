"""What benches of the collector stand on: a store that is empty, a broker's settings, a register,
and `schoolpulse collect` as a process.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil

import gemini
import influx_server
import services
from collector.config import Config, Store
from collector.store import buckets

SCHOOLS = [f"990000000{n}" for n in range(1, 5)]
QUEUE = 200_000
CITY_BROKER = (
    f"max_queued_messages {QUEUE}\nmax_queued_bytes 536870912\nmax_inflight_messages 200\n"
)


@contextlib.contextmanager
def watched(process: psutil.Process) -> Iterator[list[float]]:
    """The process's RSS, ten times a second."""
    rss, stop = [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.1):
            rss.append(process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield rss
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def store_of(kind: str, folder: Path) -> Iterator[tuple[str, Any]]:
    """Its table of settings, and what counts the reports in it."""
    if kind == "sqlite":
        yield 'kind = "sqlite"\n', lambda: _rows(folder)
        return
    if kind == "opengemini":
        url = os.environ["SCHOOLPULSE_TEST_OPENGEMINI_URL"]
        with _gemini(url) as (telemetry, evidence):
            names = f'telemetry = "{telemetry}"\nevidence = "{evidence}"\n'
            table = f'kind = "{kind}"\nurl = "{url}"\n{names}'
            yield table, partial(counted, url, "", database=telemetry)
        return
    with influx(kind, folder) as (url, token, org):
        table = f'kind = "influxdb"\nurl = "{url}"\ntoken = "{token}"\norg = "{org}"\n'
        yield table, partial(counted, url, token)


@contextlib.contextmanager
def influx(kind: str, folder: Path) -> Iterator[tuple[str, str, str]]:
    """URL, token and organisation of an empty one: Debian's, or a server of 2.x that the
    environment names.
    """
    if kind == "influxdb":
        (folder / "influx").mkdir()
        with influx_server.influx(folder / "influx") as running:
            running.create("telemetry")
            running.create("evidence")
            yield running.url, "", "o"
    else:
        url, token, org = (os.environ[f"SCHOOLPULSE_TEST_INFLUX_{x}"] for x in _NAMES)
        with _buckets(url, token, org):
            yield url, token, org


@contextlib.contextmanager
def _gemini(url: str) -> Iterator[list[str]]:
    """Two empty databases of an openGemini that runs."""
    run = uuid.uuid4().hex[:8]
    names = [f"telemetry-{run}", f"evidence-{run}"]
    settings = Store("opengemini", url, telemetry=names[0], evidence=names[1])
    buckets.set_up(settings)
    gemini.wait_readable(Config(store=settings))
    yield names
    for name in names:
        gemini.drop(url, name)


_NAMES = ("URL", "TOKEN", "ORG")


@contextlib.contextmanager
def _buckets(url: str, token: str, org: str) -> Iterator[None]:
    from influxdb_client import InfluxDBClient

    with InfluxDBClient(url, token, org=org) as client:
        api = client.buckets_api()
        for name in ("telemetry", "evidence"):
            old = api.find_bucket_by_name(name)
            if old:
                api.delete_bucket(old)
            api.create_bucket(bucket_name=name)
        yield


def _rows(folder: Path) -> int:
    import sqlite3

    with contextlib.closing(sqlite3.connect(folder / "data/schoolpulse.db")) as db:
        return int(db.execute("SELECT count(*) FROM agent").fetchone()[0])


def counted(
    url: str, token: str, field: str = "number", measurement: str = "agent",
    database: str = "telemetry",
) -> int:  # fmt: skip
    asked = f"SELECT count({field}) FROM {measurement}"
    query = urllib.parse.urlencode({"db": database, "q": asked})
    headers = {"Authorization": f"Token {token}"} if token else {}
    request = urllib.request.Request(f"{url}/query?{query}", headers=headers)
    with urllib.request.urlopen(request, timeout=120) as reply:
        series = json.load(reply)["results"][0].get("series")
    return int(series[0]["values"][0][1]) if series else 0


@contextlib.contextmanager
def collector(
    folder: Path, port: int, store: str, more: str = "", role: str = "all"
) -> Iterator[psutil.Process]:
    """`schoolpulse collect`, listening; `more` settings stand before all tables.

    With a keeper, once that has done what it does when it starts and then each hour.
    """
    settings = folder / "collector.toml"
    settings.write_text(f'data = "{folder}/data"\n{more}\n[mqtt]\nport = {port}\n[store]\n{store}')
    argv = [sys.executable, "-m", "collector.cli"]
    _import(argv, folder, settings)
    log = folder / "collect.log"
    words = ["collect", "--role", role, "--config", str(settings)]
    with services.started([*argv, *words], log) as running:
        wait, ends = threading.Event().wait, time.monotonic() + services.PATIENCE_S
        logged = ["listening=True", "listening=False", *(["days_derived"] if role == "all" else [])]
        while not all(one in log.read_text() for one in logged):
            if running.poll() is not None or time.monotonic() > ends:
                raise SystemExit(log.read_text())
            wait(0.05)
        yield psutil.Process(running.pid)


def _import(argv: list[str], folder: Path, settings: Path) -> None:
    sheets = folder / "sheets"
    from_template(sheets, SCHOOLS)
    words = ["roster", "import", str(sheets), "--config", str(settings)]
    subprocess.run([*argv, *words], check=True, capture_output=True)


def from_template(sheets: Path, schools: list[str]) -> None:
    """A register of these schools, each with seats for a crowd, and nothing else."""
    rows = {
        "schools": ("code,name,district,type,responsible", "{0},示例{0},630102,小学,630102"),
        "campuses": ("school,campus", "{0},本部"),
        "lines": ("school,line,campus,contract_mbps", "{0},主线,本部,100"),
        "rooms": ("school,campus,room,type,seats", "{0},本部,机房,计算机教室,1000"),
        "classes": ("school,class,rooms", ""),
    }
    sheets.mkdir(exist_ok=True)
    for old in sheets.glob("*"):
        old.unlink()
    for name, (heading, row) in rows.items():
        body = "".join(f"{row.format(code)}\n" for code in schools) if row else ""
        (sheets / f"{name}.csv").write_text(f"{heading}\n{body}", encoding="utf-8")

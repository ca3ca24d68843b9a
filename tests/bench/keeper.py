"""The keeper over a month of 10 schools and 300 PCs: the same rows whatever happens to it.

On SQLite and on InfluxDB, run once, run twice, killed by -9 and run again: `make bench-keeper`.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

import influx_server
from collector.config import City, Config, Figure, Store
from collector.keeper import Keeper
from collector.keeper.midnight import bounds
from collector.roster.register import Campus, Line, Machine, Register, Room, School
from collector.store.base import Point, Value
from collector.store.base import Store as AnyStore
from collector.store.factory import open_store

SCHOOLS = [f"99000{n:05}" for n in range(1, 11)]
PCS = 30  # a school
FIRST, DAYS = dt.date(2026, 3, 1), 31
NOW = bounds(FIRST + dt.timedelta(days=DAYS - 1))[1] - 1
DERIVED = (
    "machine_day", "device_day", "room_day", "school_hour", "indicator", "school_day", "line_day",
)  # fmt: skip
_MINUTE = 60 * 10**9


def days() -> list[dt.date]:
    """The month."""
    return [FIRST + dt.timedelta(days=n) for n in range(DAYS)]


def register() -> Register:
    """Ten schools, each with three rooms of ten PCs."""
    rooms = [(code, f"机房{n}") for code in SCHOOLS for n in range(3)]
    return Register(
        {c: School(c, f"示例{c[-2:]}", "630102", "小学", "630102") for c in SCHOOLS},
        campuses=[Campus(code, "本部") for code in SCHOOLS],
        lines=[Line(code, "主线", "本部", 100.0) for code in SCHOOLS],
        rooms=[Room(code, "本部", room, room, "computer", 10, "主线") for code, room in rooms],
        machines=[Machine(code, room, f"{room}-*") for code, room in rooms],
    )


def raw(day: dt.date) -> Iterator[Point]:
    """What all PCs reported that day: each ten minutes of an open day, with some of them off."""
    rng = random.Random(day.toordinal())
    start, _ = bounds(day)
    for code in SCHOOLS:
        for pc in range(PCS):
            if day.weekday() < 5 and rng.random() < 0.9:
                yield from _pc_day(code, pc, start, rng)


def _pc_day(code: str, pc: int, start: int, rng: random.Random) -> Iterator[Point]:
    tags = {"school": code, "machine": f"{int(code) * 100 + pc:032x}"}
    device = {**tags, "kind": "projector", "device": f"{int(code) * 100 + pc:016x}"}
    boot = f"{rng.getrandbits(64):016x}"
    begin = start + 8 * 60 * _MINUTE + rng.randrange(10**9)
    yield Point("host", tags, {"hostname": f"机房{pc // 10}-{pc}"}, begin)
    for n in range(48):
        at = begin + n * 10 * _MINUTE
        fields: dict[str, Value] = {"boot": boot, "number": n + 2, "outbox_rows": 0}
        yield Point("agent", tags, fields, at)
        fault = "灯泡" if rng.random() < 0.001 else ""
        yield Point("device", device, {"present": rng.random() < 0.99, "fault": fault}, at)


def fill(store: AnyStore, name: str) -> int:
    """Write the month's raw points; how many."""
    count = 0
    for day in track(days(), description=f"a month into {name}"):
        points = list(raw(day))
        count += len(points)
        for at in range(0, len(points), 5000):
            store.write(points[at : at + 5000])
    return count


def derive(config: Config) -> dict[str, float]:
    """Derive the month in this process; what it cost."""
    begun = time.monotonic()
    with open_store(config) as store:
        keeper = Keeper(store, register, Figure(), City(), now=lambda: NOW)
        changed = 0
        for day in days():
            changed += keeper.derive([day])
            keeper.judge(day)
            print(day, file=sys.stderr, flush=True)
    seconds = time.monotonic() - begun
    return {
        "changed": changed, "seconds": seconds,
        "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }  # fmt: skip


def digest(store: AnyStore) -> tuple[str, int]:
    """A hash over all derived rows, whatever the store's order; and how many."""
    rows = sorted(
        json.dumps([p.measurement, sorted(p.tags.items()), sorted(p.fields.items()), p.time])
        for name in DERIVED
        for p in store.read(name, 0, 2**62)
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16], len(rows)


def child(config: Config, kill_after: float = 0.0) -> dict[str, Any]:
    """Derive in a process of its own; killed after some seconds, it tells nothing."""
    argv = [sys.executable, __file__, "--child", json.dumps([config.data, config.store.url])]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if kill_after:
        threading.Event().wait(kill_after)
        process.kill()
    out, said = process.communicate()
    if process.returncode and not kill_after:
        raise SystemExit(said.decode())
    told: dict[str, Any] = json.loads(out) if out else {}
    return told


def config_of(data: str, url: str) -> Config:
    """SQLite in `data`, or InfluxDB at `url`."""
    days = 36500
    if not url:
        return Config(data=data, store=Store(url="", telemetry_days=days))
    return Config(data=data, store=Store("influxdb", url, org="", telemetry_days=days))


def main() -> int:
    """Run all; 1 where any two runs differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child")
    args = parser.parse_args()
    if args.child:
        json.dump(derive(config_of(*json.loads(args.child))), sys.stdout)
        return 0
    table = Table(title=f"The keeper over a month of {len(SCHOOLS)} schools, {10 * PCS} PCs")
    for head in ("store", "run", "seconds", "RSS MB", "day rows changed", "rows", "digest"):
        table.add_column(head, justify="left" if head in ("store", "run") else "right")
    found: list[tuple[str, int]] = []
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as opened:
        (Path(name) / "influx").mkdir()
        running = opened.enter_context(influx_server.influx(Path(name) / "influx"))
        for kind, url in (("sqlite", ""), ("influxdb", running.url)):
            found += _both(kind, config_of(f"{name}/data", url), running, table)
    Console().print(table)
    same = len(set(found)) == 1
    print("all the same" if same else "THEY DIFFER")
    return int(not same)


def _both(kind: str, config: Config, running: Any, table: Table) -> list[tuple[str, int]]:
    """The runs on one store; its digests."""
    if config.store.url:
        running.create("telemetry")
        running.create("evidence")
    with open_store(config) as store:
        fill(store, kind)
        found = []
        for run in ("once", "twice", "killed, run again"):
            if run.startswith("killed"):
                _forget(config, running)
                child(config, kill_after=6.0)
            told = child(config)
            found.append(digest(store))
            cells = f"{told['seconds']:.1f}", f"{told['rss']:.0f}", f"{told['changed']}"
            table.add_row(kind, run, *cells, str(found[-1][1]), found[-1][0])
    return found


def _forget(config: Config, running: Any) -> None:
    """All derived rows are gone."""
    if config.store.url:
        for name in DERIVED:
            running.ask(f'DROP MEASUREMENT "{name}"', "evidence")
        return
    import sqlite3

    with contextlib.closing(sqlite3.connect(f"{config.data}/schoolpulse.db")) as db:
        for name in DERIVED:
            db.execute(f'DELETE FROM "{name}"')
        db.commit()


if __name__ == "__main__":
    sys.exit(main())

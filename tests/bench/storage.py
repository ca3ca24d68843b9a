"""What a PC takes on disk: `make bench-storage` writes school days of reports into each store, has
the keeper derive them, and prints bytes a report and bytes a PC and day of what is kept for ever.

InfluxDB is measured once it has written its cache and compacted; openGemini, whose address
SCHOOLPULSE_TEST_OPENGEMINI_URL and whose data folder `--opengemini` name, once its files no longer
change. The reports are those of a Windows PC with four devices, each five minutes from 8:00 to
16:00.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import urllib3
from rich.console import Console
from rich.table import Table

import city_day
import influx_server
from city_day import City
from collector.config import City as Area
from collector.config import Config, Figure, Store
from collector.keeper import Keeper
from collector.schema import MEASUREMENTS
from collector.store import buckets
from collector.store.base import Point, Value
from collector.store.base import Store as AnyStore
from collector.store.factory import FILE, open_store

MONDAY = dt.date(2026, 3, 2)
_QUIET_S = 12.0  # files that have not changed for so long are taken as written
_BATCH = 20_000
#: So that InfluxDB 1.x compacts at once what nobody writes to any more.
_AT_ONCE = {
    "INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION": "1s",
    "INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION": "1s",
}
Sizes = Callable[[], tuple[int, int]]  # bytes of telemetry and of evidence


class Found(NamedTuple):
    """Bytes of one store, and what it holds."""

    telemetry: int
    evidence: int
    reports: int
    pc_days: int


def main() -> int:
    """Measure each store."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--stores", nargs="+", default=["sqlite", "influxdb"])
    add("--schools", type=int, default=4)
    add("--days", type=int, default=5, help="school days, from a Monday on")
    add("--opengemini", type=Path, help="the folder of openGemini's data, on this machine")
    args = parser.parse_args()
    days = [MONDAY + dt.timedelta(days=n // 5 * 7 + n % 5) for n in range(args.days)]
    title = f"{args.schools} schools × 34 PCs, {args.days} days of reports each 5 min for 8 h"
    table = Table(title=title)
    for heading in ("", "B a report", "points", "B a PC and day, derived", "rows"):
        table.add_column(heading, justify="right" if heading else "left")
    for kind in args.stores:
        with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as opened:
            config, sizes = opened.enter_context(_place(kind, Path(name), args.opengemini))
            table.add_row(kind, *_measured(config, sizes, City(args.schools), days))
    Console().print(table)
    return 0


def _measured(config: Config, sizes: Sizes, city: City, days: list[dt.date]) -> list[str]:
    with open_store(config) as store:
        reports = points = 0
        for day in days:
            made = [p for r in _reports(city._replace(day=day)) for p in r]
            made.sort(key=lambda point: point.time)  # as they come
            for at in range(0, len(made), _BATCH):
                store.write(made[at : at + _BATCH])
            reports += sum(point.measurement == "agent" for point in made)
            points += len(made)
        _settled(sizes)
        _derive(store, city, days)
        rows = _rows(store)
    telemetry, evidence = _settled(sizes)
    pc_days = city.schools * city.pcs * len(days)
    each = f"{telemetry / reports:,.0f}", f"{points / reports:.1f}"
    return [*each, f"{evidence / pc_days:,.0f}", f"{rows / pc_days:.1f}"]


def _derive(store: AnyStore, city: City, days: list[dt.date]) -> None:
    end = dt.datetime.combine(days[-1] + dt.timedelta(days=1), dt.time()).timestamp()
    register = city_day.register(city)
    Keeper(store, lambda: register, Figure(), Area(), now=lambda: int(end) * 10**9).derive(days)


def _rows(store: AnyStore) -> int:
    kept = [name for name, known in MEASUREMENTS.items() if known.retention == "evidence"]
    return sum(1 for name in kept for _ in store.read(name, 0, 2**62))


def _reports(city: City) -> Iterator[list[Point]]:
    for code in city.codes:
        for report in city_day.reports(city, code, 8 * 3600, 16 * 3600):
            yield [_whole(point) for point in report]


def _whole(point: Point) -> Point:
    """With the fields that a PC sends beside those that the keeper reads."""
    if point.measurement == "host":
        return point._replace(fields=point.fields | _host(point))
    if point.measurement == "agent":
        more: dict[str, Value] = {
            "rss_bytes": 27_000_000 + point.time % 4096 * 64, "outbox_bytes": 0, "evidence": False,
            "cpu_s": round(float(point.fields["uptime_s"]) * 0.0011, 2),
            "failed_probes": "", "policy_error": "",
        }  # fmt: skip
        return point._replace(fields=point.fields | more)
    return point


def _host(point: Point) -> dict[str, Value]:
    rng = random.Random(point.time)
    up_s = point.time // 10**9 % 86_400
    facts: dict[str, Value] = {
        "os_version": "10.0.19045", "maker": "LENOVO", "model": "10M7A01", "cores": 4,
        "cpu": "Intel(R) Core(TM) i5-7400 CPU @ 3.00GHz", "firmware_date": "2018-05-11",
        "serial": point.tags["machine"][-8:], "disks": "SAMSUNG MZVLB256HAHQ",
    }  # fmt: skip
    return (facts if "hostname" in point.fields else {}) | {
        "cpu_percent": round(rng.uniform(1, 60), 1), "memory_total": 8_472_322_048,
        "memory_used": rng.randrange(3, 6) * 10**9 + rng.randrange(10**8),
        "disk_total": 255_380_549_632, "disk_used": 91_000_000_000 + up_s * 1000,
        "uptime_s": float(up_s), "received_bytes": up_s * 40_000 + rng.randrange(10**6),
        "sent_bytes": up_s * 3_000 + rng.randrange(10**5), "link_mbps": 1000.0, "wired": True,
        "os": "Windows 10",
    }  # fmt: skip


@contextlib.contextmanager
def _place(kind: str, folder: Path, gemini: Path | None) -> Iterator[tuple[Config, Sizes]]:
    """Settings of an empty store, and what says its sizes."""
    if kind == "sqlite":
        yield Config(data=str(folder)), lambda: _tables(folder / FILE)
        return
    with contextlib.ExitStack() as opened:
        if kind == "influxdb":
            os.environ.update(_AT_ONCE)
            url, root = opened.enter_context(influx_server.bare_influx(folder)), folder
        else:
            if gemini is None:
                raise SystemExit("--opengemini: name the folder of its data")
            url, root = os.environ["SCHOOLPULSE_TEST_OPENGEMINI_URL"], gemini
        run = uuid.uuid4().hex[:6]
        names = [f"telemetry-{run}", f"evidence-{run}"]
        settings = Store(kind, url, "", "o", *names, telemetry_days=36500)  # type: ignore[arg-type]
        buckets.set_up(settings)
        yield Config(data=str(folder), store=settings), lambda: _folders(root, names)
        for name in names:
            form = {"q": f'DROP DATABASE "{name}"'}
            urllib3.request("POST", f"{url}/query", fields=form)


def _tables(path: Path) -> tuple[int, int]:
    import sqlite3

    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        rows = db.execute(
            "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_master USING (name) GROUP BY 1"
        ).fetchall()
    found = {"telemetry": 0, "evidence": 0}
    for name, size in rows:
        if name in MEASUREMENTS:
            found[MEASUREMENTS[name].retention] += size
    return found["telemetry"], found["evidence"]


def _folders(root: Path, names: list[str]) -> tuple[int, int]:
    telemetry, evidence = (
        sum(_size(path) for path in root.rglob("*") if name in path.parts) for name in names
    )
    return telemetry, evidence


def _size(path: Path) -> int:
    """Of a sparse file, such as an index made in advance, what it takes."""
    try:
        found = path.stat()
        return min(found.st_size, found.st_blocks * 512) if path.is_file() else 0
    except FileNotFoundError:  # compacted in between
        return 0


def _settled(sizes: Sizes) -> tuple[int, int]:
    """The sizes, once they have not changed for a while."""
    found, since = sizes(), time.monotonic()
    while time.monotonic() - since < _QUIET_S:
        time.sleep(0.5)
        if (now := sizes()) != found:
            found, since = now, time.monotonic()
    return found


if __name__ == "__main__":
    sys.exit(main())

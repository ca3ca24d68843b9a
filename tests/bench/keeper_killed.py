"""A day that comes bit by bit, in no order, its keeper killed by -9 at 50 moments.

The keeper is a process of its own, which takes what is pending as under `schoolpulse collect`;
after each kill another goes on. In the end, the rows must be those that one whole derivation
leaves, and that one changes none. On SQLite and InfluxDB: a part of `make bench-keeper`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import city_keeper
import keeper_city
from city_keeper import Asked
from rich.console import Console
from rich.progress import track
from rich.table import Table

import city_day
import influx_server
from collector.config import City as Area
from collector.config import Figure
from collector.keeper import Keeper
from collector.keeper.midnight import midnight
from collector.service.pipeline.pending_days import Pair, PendingDays
from collector.store.base import Point
from collector.store.base import Store as AnyStore
from collector.store.factory import open_store

_UNTIL_S = 10 * 3600
_KEEPER_S = 0.2


def arriving(asked: Asked, parts: int, rng: random.Random) -> list[list[list[Point]]]:
    """The day's reports in so many parts: most in the order of their times, some late."""
    found = [
        (at[0].time + (rng.randrange(7200) * 10**9 if rng.random() < 0.01 else 0), n, at)
        for n, at in enumerate(
            one
            for code in asked.city.codes
            for one in city_day.reports(asked.city, code, 0, asked.until_s)
        )
    ]
    ordered = [one for _, _, one in sorted(found, key=lambda each: each[:2])]
    size = -(-len(ordered) // parts)
    return [ordered[at : at + size] for at in range(0, len(ordered), size)]


def store_part(
    asked: Asked, store: AnyStore, pending: PendingDays, part: list[list[Point]]
) -> None:
    """As ingest does: stored, then marked."""
    for at in range(0, len(part), 100):
        some = part[at : at + 100]
        store.write([point for one in some for point in one])
        marks: dict[Pair, int] = {}
        for one in some:
            pair = Pair(one[0].tags["school"], asked.city.day)
            marks[pair] = min(one[0].time, marks.get(pair, one[0].time))
        pending.mark(marks)


def start(asked: Asked) -> subprocess.Popen[bytes]:
    """The keeper's process."""
    argv = [sys.executable, city_keeper.__file__, json.dumps(asked)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


def run(asked: Asked, kills: int) -> dict[str, Any]:
    """One store: how many kills, how many rows, whether they are the same."""
    rng = random.Random(kills)
    with open_store(asked.config) as store:
        pending = PendingDays(Path(asked.data) / "days.db")
        parts = arriving(asked, kills, rng)
        process = start(asked)
        for part in track(parts, description=f"{kills} kills"):
            writing = threading.Thread(target=store_part, args=(asked, store, pending, part))
            writing.start()
            time.sleep(rng.uniform(0.5, 4.0))  # the moment: while it starts, reads or writes
            process.kill()
            process.wait()
            process = start(asked)
            writing.join()
        deadline = time.monotonic() + 300
        while pending.oldest() is not None and time.monotonic() < deadline:
            time.sleep(0.1)
        assert process.stdin
        process.stdin.close()
        process.wait()
        left = pending.oldest() is not None
        pending.close()
        return {"rows": len(keeper_city.rows(store, asked.city)), "same": _same(asked, store, left)}


def _same(asked: Asked, store: AnyStore, left: bool) -> bool:
    before, known = keeper_city.rows(store, asked.city), city_day.register(asked.city)
    noon = midnight(asked.city.day) + asked.until_s * 10**9
    whole = Keeper(store, lambda: known, Figure(), Area(), now=lambda: noon)
    changed = whole.derive([asked.city.day])
    return not left and not changed and keeper_city.rows(store, asked.city) == before


def main() -> int:
    """Run both; 1 where rows differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--schools", type=int, default=3)
    parser.add_argument("--stores", default="sqlite,influxdb")
    args = parser.parse_args()
    table = Table("store", "kills", "rows", "same as whole")
    good = True
    for kind in args.stores.split(","):
        with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as opened:
            url = ""
            if kind == "influxdb":
                (Path(name) / "influx").mkdir()
                running = opened.enter_context(influx_server.influx(Path(name) / "influx"))
                for bucket in ("telemetry", "evidence"):
                    running.create(bucket)
                url = running.url
            (Path(name) / "data").mkdir()
            asked = Asked(f"{name}/data", url, args.schools, 34, 0.0, _UNTIL_S, _KEEPER_S, 0)
            found = run(asked, args.kills)
            good &= found["same"]
            table.add_row(kind, f"{args.kills}", f"{found['rows']}", str(found["same"]))
    Console().print(table)
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())

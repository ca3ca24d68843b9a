"""The keeper of a city at four in the afternoon, reports still coming: `make bench-keeper-city`.

A store holds the day of every PC until then; the keeper, a process of its own as under `schoolpulse
collect`, derives it once, and then goes on while reports come at the city's rate. Shown: what a
run costs its processor (the one after the first by itself: it has all that came while the first ran
and the figure was made), its memory, how long after a report its rows are there, and whether the
rows of some schools, drawn by lot, are those of a whole derivation (`--compared`). A part:
`CITY="--schools 75 --minutes 4 --stores sqlite"`. With `--keep FOLDER`, the stores stay there and
a later run goes on where one before ended, even in its filling: 600 schools' day takes long to
write, and long to derive: `--fill` and `--derive` do no more than that, the latter by a keeper
for each core. What then runs takes the days up from the keepers' checkpoints, as after any
restart, if it starts within forty minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from city_fill import feed, fill, filled, mark, only_derive, only_fill
from city_keeper import GEMINI, Asked, keeping
from rich.console import Console
from rich.table import Table

import city_day
import gemini
import influx_server
from city_day import City
from collector.config import City as Area
from collector.config import Figure
from collector.keeper import Keeper
from collector.keeper.midnight import midnight
from collector.service.pipeline.pending_days import PendingDays
from collector.store import buckets
from collector.store.base import Point
from collector.store.base import Store as AnyStore
from collector.store.factory import open_store

AT_S = 16 * 3600
DERIVED = ("machine_day", "device_day", "room_day", "school_day", "school_hour", "event")
_WATCHED = 200  # PCs whose rows are looked for


class Watch:
    """When the rows of some PCs' reports are there."""

    def __init__(self, city: City, store: AnyStore) -> None:
        rng = random.Random(1)
        self._city, self._store = city, store
        self._pcs = {
            (code, f"{int(code) * 100 + rng.randrange(city.pcs):032x}")
            for code in rng.choices(city.codes, k=_WATCHED)
        }
        self._waiting: list[tuple[float, str, str, int]] = []
        self.delays: list[float] = []

    def came(self, reports: list[list[Point]]) -> None:
        """These were stored just now."""
        for one in reports:
            tags = one[0].tags
            if (tags["school"], tags["machine"]) in self._pcs:
                said = time.monotonic(), tags["school"], tags["machine"], one[0].time // 10**6
                self._waiting.append(said)

    def look(self) -> None:
        """See which of them have their rows."""
        start, last = midnight(self._city.day), dict[tuple[str, str], int]()
        tags = {"school": {school for _, school, _, _ in self._waiting}}
        tags["machine"] = {machine for _, _, machine, _ in self._waiting}
        for row in self._store.read("machine_day", start, start + 1, tags, ["last_ms"]):
            key = row.tags["school"], row.tags["machine"]
            last[key] = max(int(row.fields["last_ms"]), last.get(key, 0))
        for entry in list(self._waiting):
            came, school, machine, at = entry
            if last.get((school, machine), -1) >= at:
                self.delays.append(time.monotonic() - came)
                self._waiting.remove(entry)

    @property
    def waiting(self) -> int:
        """How many have none yet."""
        return len(self._waiting)


def rows(store: AnyStore, city: City, codes: Sequence[str] = ()) -> list[Any]:
    """All derived rows (of these schools) in one order, whatever the store's."""
    start, tags = midnight(city.day), {"school": codes} if codes else {}
    return sorted(
        [p.measurement, sorted(p.tags.items()), sorted(p.fields.items()), p.time]
        for name in DERIVED
        for p in store.read(name, start, start + 86_400 * 10**9, tags)
    )


def same_as_whole(asked: Asked, store: AnyStore) -> bool:
    """Whether deriving the day whole changes no row of the schools that are compared."""
    city, known = asked.city, city_day.register(asked.city)
    codes = random.Random(2).sample(city.codes, min(asked.compared, city.schools))
    now = midnight(city.day) + asked.until_s * 10**9
    time.sleep(store.limits.readable_s)
    before = rows(store, city, codes)
    whole = Keeper(store, lambda: known, Figure(), Area(), now=lambda: now)
    for code in codes:
        whole.derive_school(code, city.day)
    time.sleep(store.limits.readable_s)
    return bool(before) and rows(store, city, codes) == before


def measure(asked: Asked) -> dict[str, Any]:
    """One city on one store."""
    city, runs = asked.city, []
    with open_store(asked.config) as store:
        count = fill(asked, store)
        pending = PendingDays(asked.file("days"))
        asked = asked._replace(until_s=filled(asked))
        mark(asked, pending)
        with keeping(asked) as process:
            assert process.stdout
            assert process.stdin
            first = json.loads(process.stdout.readline())
            lines = process.stdout
            reader = threading.Thread(target=lambda: runs.extend(map(json.loads, lines)))
            reader.start()
            watch, came = Watch(city, store), 0
            for reports in feed(asked, store, pending):
                came += len(reports)
                watch.came(reports)
                watch.look()
            end = time.monotonic() + 3 * asked.keeper_s + 60
            while (watch.waiting or pending.oldest()) and time.monotonic() < end:
                watch.look()
                time.sleep(0.5)
            process.stdin.close()
            reader.join()
        pending.close()
        left = watch.waiting
        same = same_as_whole(asked, store)
    busy = [run for run in runs if run["schools"]]
    costs = [run["cpu"] for run in busy] or [0.0]
    after, regular = costs[0], costs[1:] or costs
    delays = sorted(watch.delays) or [0.0]
    return {
        "reports": count, "came": came, "first": first["cpu"], "runs": len(regular),
        "after": after, "run": statistics.median(regular), "dearest": max(regular),
        "rest": max(run["rest"] for run in [first, *runs]),
        "a report": sum(costs) / (came or 1),
        "rss": max(run["rss"] for run in [first, *runs]), "p50": statistics.median(delays),
        "p99": delays[int(0.99 * (len(delays) - 1))], "watched": len(delays), "left": left,
        "same": same,
    }  # fmt: skip


def parser() -> argparse.ArgumentParser:
    """What may be asked."""
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--schools", type=int, default=600)
    made.add_argument("--pcs", type=int, nargs="+", default=[34])
    made.add_argument("--minutes", type=float, default=10.0, help="how long reports come")
    made.add_argument("--at", type=float, nargs="+", default=[16.0], help="hours of the day")
    made.add_argument("--keeper-s", type=float, default=60.0)
    made.add_argument("--compared", type=int, default=60, help="schools derived whole in the end")
    made.add_argument("--stores", default="sqlite,influxdb")
    made.add_argument("--keep", help="a folder for the stores, which then stay")
    made.add_argument("--fill", action="store_true", help="fill the stores that stay, no more")
    made.add_argument("--derive", action="store_true", help="derive their day, no more")
    return made


def main() -> int:
    """Run all; 1 where rows differ from a whole derivation's, or never came."""
    args = parser().parse_args()
    table = Table(title=f"The keeper of {args.schools} schools, reports each five minutes")
    heads = (
        "store", "PCs", "at", "reports", "came", "first s", "after it s", "runs", "a run s",
        "dearest s", "figure s", "ms a report", "RSS MB", "rows after s p50", "p99", "same",
    )  # fmt: skip
    for head in heads:
        table.add_column(head, justify="left" if head == "store" else "right")
    good = True
    for kind in args.stores.split(","):
        for pcs in args.pcs:
            for hour in args.at:
                found = _one(args, kind, pcs, hour)
                if args.fill or args.derive:
                    print(kind, pcs, hour, found)
                    continue
                good &= found["same"] and not found["left"]
                table.add_row(
                    kind, f"{pcs}", f"{hour:g}", f"{found['reports']}", f"{found['came']}",
                    f"{found['first']:.2f}", f"{found['after']:.2f}", f"{found['runs']}",
                    *(f"{found[name]:.2f}" for name in ("run", "dearest", "rest")),
                    f"{1000 * found['a report']:.2f}", f"{found['rss']:.0f}",
                    f"{found['p50']:.0f}", f"{found['p99']:.0f}", str(found["same"]),
                )  # fmt: skip
    if not args.fill and not args.derive:
        Console(width=170).print(table)
    return int(not good)


def _one(args: argparse.Namespace, kind: str, pcs: int, hour: float) -> dict[str, Any]:
    with contextlib.ExitStack() as opened:
        passing = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        asked = Asked(
            "", "", args.schools, pcs, args.minutes, int(hour * 3600), args.keeper_s, args.compared
        )
        name = f"{kind}-{args.schools}-{pcs}-{hour:g}-{asked.city.day}"
        folder = Path(args.keep) / name if args.keep else passing / name
        data, url = folder / "data", ""
        data.mkdir(parents=True, exist_ok=True)
        if kind == "influxdb":
            running = opened.enter_context(influx_server.influx(folder, proxies=passing))
            running.create("telemetry")
            running.create("evidence")
            url = running.url
        asked = asked._replace(data=str(data), url=GEMINI if kind == "opengemini" else url)
        if asked.config.store.kind == "opengemini":  # an empty one
            buckets.set_up(asked.config.store)
            gemini.wait_readable(asked.config)
        run = only_fill if args.fill else only_derive if args.derive else measure
        return run(asked)


if __name__ == "__main__":
    sys.exit(main())

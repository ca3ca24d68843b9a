"""The keeper of a city at four in the afternoon, reports still coming: `make bench-keeper-city`.

A store holds the day of every PC until then; the keeper, a process of its own as under `schoolpulse
collect`, derives it once, and then goes on while reports come at the city's rate. Shown: what a
run costs its processor, its memory, how long after a report its rows are there, and whether the
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
import datetime as dt
import gc
import itertools
import json
import os
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import track
from rich.table import Table

import city_day
import gemini
import services
from agent.common.calendar import CITY_TIME
from city_day import City
from collector.config import City as Area
from collector.config import Config, Figure, Store
from collector.keeper import Keeper
from collector.keeper.checkpoints import Checkpoints
from collector.keeper.midnight import midnight
from collector.keeper.part import Part
from collector.service.keeper_thread import KeeperThread
from collector.service.pipeline.pending_days import Pair, PendingDays
from collector.store import buckets
from collector.store.base import Point
from collector.store.base import Store as AnyStore
from collector.store.factory import open_store

_GEMINI = os.environ.get("SCHOOLPULSE_TEST_OPENGEMINI_URL", "")
AT_S = 16 * 3600
DERIVED = ("machine_day", "device_day", "room_day", "school_day", "school_hour", "event")
_WATCHED = 200  # PCs whose rows are looked for
_FILLED = "filled"  # the file that says until when the store is
_DERIVED = "derived"  # the file that says that the day was given to a keeper, to be derived whole
_GARBAGE = 50_000, 20, 20  # as under `schoolpulse collect`


class Asked(NamedTuple):
    """What to run."""

    data: str
    url: str
    schools: int
    pcs: int
    minutes: float
    until_s: int
    keeper_s: float
    compared: int
    part: tuple[int, int] = (1, 1)

    def file(self, name: str) -> Path:
        """A file of the keeper of this part."""
        number, of = self.part
        return Path(self.data, f"{name}-{number}-{of}.db" if of > 1 else f"{name}.db")

    @property
    def city(self) -> City:
        """The city; its day is today, wherever the clock stands."""
        return City(self.schools, self.pcs, day=dt.datetime.now(CITY_TIME).date())

    @property
    def config(self) -> Config:
        """SQLite in `data`, or InfluxDB or openGemini at `url`."""
        if not self.url:
            return Config(data=self.data, store=Store(telemetry_days=36500))
        kind: Any = "opengemini" if self.url == _GEMINI else "influxdb"
        return Config(data=self.data, store=Store(kind, self.url, org="", telemetry_days=36500))


def keep(asked: Asked) -> None:
    """The keeper's process: a line of JSON a run, until its input ends."""
    gc.set_threshold(*_GARBAGE)
    city, known = asked.city, city_day.register(asked.city)
    began, noon = time.monotonic(), midnight(city.day) + asked.until_s * 10**9

    def clock() -> int:
        return noon + int((time.monotonic() - began) * 1e9)

    class Told(Keeper):
        """Says what each run cost."""

        def begin(self) -> bool:
            self.before, self.count = _cpu(), 0
            return super().begin()

        def derive_schools(self, due: Mapping[str, int], *given: Any) -> dict[str, Exception]:
            self.count += len(due)
            return super().derive_schools(due, *given)

        def run_once(self, now: dt.datetime) -> None:
            spent = _cpu() - self.before
            if self._part.of == 1:
                super().run_once(dt.datetime.fromtimestamp(clock() / 1e9, CITY_TIME))
            told = {"cpu": spent, "schools": self.count, "rss": _most_mb()}
            told["rest"] = _cpu() - self.before - spent  # figure, audit, hours of silent schools
            print(json.dumps(told), flush=True)

    with open_store(asked.config) as store:
        keeper = Told(
            store, lambda: known, Figure(), Area(),
            now=clock, version=lambda: 1,
            part=Part(*asked.part), checkpoints=Checkpoints(asked.file("checkpoints")),
        )  # fmt: skip
        pending, readable_s = PendingDays(asked.file("days")), store.limits.readable_s
        thread = KeeperThread(keeper, pending, asked.keeper_s, readable_s=readable_s)
        thread.start()
        sys.stdin.read()
        thread.stop(60)
        pending.close()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _most_mb() -> float:
    """The most memory that this process ever had, MB.

    Not `ru_maxrss`, which begins with what the process that started this one had.
    """
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
    )
    return int(line.split()[1]) / 1000


def filled(asked: Asked) -> int:
    """Until which second of the day the store is filled."""
    try:
        return int(Path(asked.data, _FILLED).read_text())
    except FileNotFoundError:
        return 0


def fill(asked: Asked, store: AnyStore) -> int:
    """Write the rest of the day until then, in the order of time; the number of reports."""
    count, city, slice_s = 0, asked.city, 300
    slices = range(filled(asked), asked.until_s, slice_s)
    for begin in track(slices, description="the day until then"):
        end = min(begin + slice_s, asked.until_s)
        each = (city_day.reports(city, code, begin, end) for code in city.codes)
        reports = itertools.chain.from_iterable(each)
        while some := list(itertools.islice(reports, 1000)):
            count += len(some)
            store.write([point for one in some for point in one])
        Path(asked.data, _FILLED).write_text(str(end))
    return count


def feed(asked: Asked, store: AnyStore, pending: PendingDays) -> Iterator[list[list[Point]]]:
    """Write what comes, second by second, as ingest does; yields the reports of each second."""
    city, began = asked.city, time.monotonic()
    for second in range(int(asked.minutes * 60)):
        reports = [
            one
            for code in city.codes
            for one in city_day.reports(
                city, code, asked.until_s + second, asked.until_s + second + 1
            )
        ]
        time.sleep(max(0.0, began + second - time.monotonic()))
        if reports:
            store.write([point for one in reports for point in one])
            marks: dict[Pair, int] = {}
            for one in reports:
                pair, at = Pair(one[0].tags["school"], city.day), one[0].time
                marks[pair] = min(at, marks.get(pair, at))
            pending.mark(marks)
        Path(asked.data, _FILLED).write_text(str(asked.until_s + second + 1))
        yield reports


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


def only_fill(asked: Asked) -> dict[str, Any]:
    """Fill one city's store."""
    with open_store(asked.config) as store:
        return {"reports": fill(asked, store)}


@contextlib.contextmanager
def keeping(asked: Asked) -> Iterator[subprocess.Popen[bytes]]:
    """The keeper's process; in the end its input must be closed."""
    argv = [sys.executable, __file__, "--child", json.dumps(asked)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process


def mark(asked: Asked, pending: PendingDays) -> None:
    """The day of all schools is to be derived: whole, once; then from the last second's reports."""
    marked = Path(asked.data, _DERIVED)
    at = midnight(asked.city.day) + (asked.until_s - 1) * 10**9
    pending.mark({Pair(code, asked.city.day): at * marked.exists() for code in asked.city.codes})
    marked.touch()


def only_derive(asked: Asked) -> dict[str, Any]:
    """Derive the day that is filled, as far as an earlier run did not."""
    with open_store(asked.config) as store:
        count = fill(asked, store)
    asked = asked._replace(until_s=filled(asked))
    cores = len(os.sched_getaffinity(0))
    parts = [asked._replace(part=(n, cores)) for n in range(1, cores + 1)] if cores > 1 else [asked]
    _shared_out(asked, parts)
    with contextlib.ExitStack() as opened:
        processes = [opened.enter_context(keeping(one)) for one in parts]
        told = [json.loads(process.stdout.readline()) for process in processes if process.stdout]
        for process in processes:
            assert process.stdin
            process.stdin.close()
    _brought_together(asked, parts)
    return {"reports": count, "keepers": told}


def _shared_out(asked: Asked, parts: Sequence[Asked]) -> None:
    """What is to be derived, among the keepers of these parts."""
    with contextlib.closing(PendingDays(asked.file("days"))) as pending:
        if not Path(asked.data, _DERIVED).exists():
            mark(asked, pending)
        taken = pending.take()
        for one in parts:
            if one is not asked:
                with contextlib.closing(PendingDays(one.file("days"))) as own:
                    has = Part(*one.part).has
                    own.mark({pair: at.since for pair, at in taken.items() if has(pair.school)})
        if parts != [asked]:
            pending.done(taken)


def _brought_together(asked: Asked, parts: Sequence[Asked]) -> None:
    """The checkpoints of all of them in the file of one keeper of the city."""
    Checkpoints(asked.file("checkpoints")).close()
    for one in parts:
        if one is not asked:
            with contextlib.closing(sqlite3.connect(asked.file("checkpoints"))) as db, db:
                db.execute("ATTACH ? AS part", (f"{one.file('checkpoints')}",))
                db.execute("INSERT OR REPLACE INTO days SELECT * FROM part.days")
                db.execute("INSERT INTO owner SELECT * FROM part.owner")
                db.execute("DELETE FROM part.days")  # a later run may not bring back these


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
    delays = sorted(watch.delays) or [0.0]
    return {
        "reports": count, "came": came, "first": first["cpu"], "runs": len(busy),
        "run": statistics.median(costs), "dearest": max(costs),
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
    made.add_argument("--child")
    return made


def main() -> int:
    """Run all; 1 where rows differ from a whole derivation's, or never came."""
    args = parser().parse_args()
    if args.child:
        keep(Asked(*json.loads(args.child)))
        return 0
    table = Table(title=f"The keeper of {args.schools} schools, reports each five minutes")
    heads = (
        "store", "PCs", "at", "reports", "came", "first s", "a run s", "dearest s", "figure s",
        "ms a report", "RSS MB", "rows after s p50", "p99", "same",
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
                    *(f"{found[name]:.2f}" for name in ("first", "run", "dearest", "rest")),
                    f"{1000 * found['a report']:.2f}", f"{found['rss']:.0f}",
                    f"{found['p50']:.0f}", f"{found['p99']:.0f}", str(found["same"]),
                )  # fmt: skip
    if not args.fill and not args.derive:
        Console(width=150).print(table)
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
            running = opened.enter_context(services.influx(folder, proxies=passing))
            running.create("telemetry")
            running.create("evidence")
            url = running.url
        asked = asked._replace(data=str(data), url=_GEMINI if kind == "opengemini" else url)
        if asked.config.store.kind == "opengemini":  # an empty one
            buckets.set_up(asked.config.store)
            gemini.wait_readable(asked.config)
        run = only_fill if args.fill else only_derive if args.derive else measure
        return run(asked)


if __name__ == "__main__":
    sys.exit(main())

"""What the yearly figure of a city costs, end to end: `make bench-figure`.

Each city's store is built once and kept in the folder; then `schoolpulse figure`, `--explain` and
`report` run in processes of their own, several times, on SQLite and on InfluxDB. Prints the median
seconds (elapsed, and of CPU) and the most memory. Exit code 1 where a limit of one city is passed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import city_year
from rich.console import Console
from rich.table import Table

import influx_server
from collector import config

SCHOOLS = 600
#: Of one city: command, store -> seconds elapsed and MB.
LIMITS = {
    ("figure", "sqlite"): (10.0, 300.0),
    ("figure", "influxdb"): (60.0, 300.0),
    ("explain", "sqlite"): (1.0, 300.0),
    ("report", "sqlite"): (60.0, 500.0),
}


class Cost(NamedTuple):
    """What a process took."""

    seconds: float
    cpu: float
    megabytes: float


def main() -> None:
    """Build what is missing, measure, print the table."""
    args = _arguments()
    args.folder.mkdir(parents=True, exist_ok=True)
    table = Table("store", "schools", "command", "s", "CPU s", "MB")
    passed = True
    for kind in args.stores:
        for times in args.sizes:
            schools = round(SCHOOLS * times)
            with _city(args.folder / f"{kind}-{schools}", kind, schools) as (file, school):
                for name, argv in _commands(file, school, args.folder / "out").items():
                    cost = _median([_run(argv) for _ in range(args.runs)])
                    passed &= times != 1 or _within(cost, LIMITS.get((name, kind)))
                    numbers = (f"{number:.1f}" for number in cost)
                    table.add_row(kind, str(schools), name, *numbers)
    Console().print(table)
    raise SystemExit(not passed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    folder = Path(tempfile.gettempdir()) / "schoolpulse-bench-figure"
    parser.add_argument("--folder", type=Path, default=folder, help="where the stores are kept")
    parser.add_argument("--sizes", type=_numbers, default=[1, 2, 4], help="times 600 schools")
    parser.add_argument("--stores", type=lambda text: text.split(","), default=["sqlite"])
    parser.add_argument("--runs", type=int, default=3)
    return parser.parse_args()


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]


@contextmanager
def _city(folder: Path, kind: str, schools: int) -> Iterator[tuple[Path, str]]:
    """Settings of a city in a store, and the code of one of its schools."""
    folder.mkdir(parents=True, exist_ok=True)
    with _server(folder) if kind == "influxdb" else nullcontext("") as url:
        file = folder / "collector.toml"
        file.write_text(city_year.settings_text(folder, kind, url, "city"))
        city = city_year.city_of(schools)
        done = folder / "built"
        if not done.exists():
            started = time.monotonic()
            count = city_year.write(config.load(str(file))[0], city)
            done.write_text(f"{count}\n")
            took = time.monotonic() - started
            print(f"{kind}, {schools} schools: {count} points in {took:.0f} s", file=sys.stderr)
        yield file, city.schools[schools // 2].code


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """An InfluxDB over the data that stand in the folder."""
    with (
        tempfile.TemporaryDirectory() as proxies,
        influx_server.influx(folder, Path(proxies)) as server,
    ):
        for name in ("city", "city_t"):
            server.create(name)
        yield server.url


def _commands(file: Path, school: str, out: Path) -> dict[str, list[str]]:
    program = [sys.executable, "-m", "collector.cli"]
    asked = ["--config", str(file), "--year", str(city_year.CUTOFF.year), "--simulated"]
    return {
        "figure": [*program, "figure", *asked],
        "explain": [*program, "figure", *asked, "--explain", school],
        "report": [*program, "report", *asked, "--out", str(out)],
    }


#: Runs a command and prints what it took. A small process of its own, as a child's peak of memory
#: begins with that of the process which started it.
_METER = """
import json, resource, subprocess, sys, time
started = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
took = time.monotonic() - started
print(json.dumps([took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
sys.exit(done.returncode)
"""


def _run(argv: Sequence[str]) -> Cost:
    """Run a command to its end, its output thrown away.

    Raises:
        CalledProcessError: it failed.
    """
    metered = [sys.executable, "-S", "-c", _METER, *argv]
    # As installed: modules are compiled once, not at each start.
    plain = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(metered, check=True, stdout=subprocess.PIPE, env=plain)
    return Cost(*json.loads(done.stdout))


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(numbers) for numbers in zip(*costs, strict=True)))


def _within(cost: Cost, limit: tuple[float, float] | None) -> bool:
    return limit is None or (cost.seconds <= limit[0] and cost.megabytes <= limit[1])


if __name__ == "__main__":
    main()

"""How long the reports of a city of 600 schools take, and how much memory: `make bench-report`.

Half of its classes and lines fall short, for several reasons, so the lists of what to do are as
long as they get. Each format in a process of its own, then all in one.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import resource
import subprocess
import sys
import time

from figure import new_town

from collector import report
from collector.compliance.figure import judge
from collector.compliance.model import Figure
from collector.config import City
from collector.config import Figure as Settings
from collector.report.context import Context, FrozenYear, Month, Signature
from large_town import large_town

SCHOOLS, ALLOWED_S, ALLOWED_MB = 600, 60.0, 500
_ROOT = "9f2c4e81" * 8


def city(schools: int) -> Figure:
    """The large town, with some of its evidence taken away and some turned into a no."""
    town = large_town(new_town, schools)
    place = {code: number for number, code in enumerate(town.schools)}
    town.room_days = [
        dataclasses.replace(row, seen=frozenset({"computer"})) if int(row.room) % 4 == 0 else row
        for row in town.room_days
        if int(row.room) % 5
    ]
    slow = {"down_mbps": 8.0}
    town.tests, town.records = (
        [
            dataclasses.replace(row, **slow) if place[row.school] % 3 == 0 else row
            for row in rows
            if place[row.school] % 7
        ]
        for rows in (town.tests, town.records)
    )
    register, evidence = town.register(), town.evidence()
    return judge(register, evidence, Settings(), City(), year=2026, today=town.cutoff)


def context(figure: Figure) -> Context:
    """A signature, five frozen years, and the months of the year."""
    years = range(figure.year - 5, figure.year)
    return Context(
        signature=Signature("示例市教育局", "示例", "0971-0000000"),
        root=_ROOT,
        archive="2026.zip",
        frozen=[
            FrozenYear(year, dt.date(year, 12, 31), figure.tallies, 10.0, f"{year}.zip", _ROOT)
            for year in years
        ],
        months=[Month(dt.date(figure.year, month, 28), figure.tallies) for month in range(1, 13)],
    )


def one(names: list[str], schools: int) -> None:
    """Render and print seconds and MB: the rendering's alone, and the process's with the figure."""
    figure = city(schools)
    beside = context(figure)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    sizes = {name: len(report.render(figure, name, beside)) for name in names}
    took = time.monotonic() - started
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{took:.2f} {(most - before) // 1024} {most // 1024} {sum(sizes.values())}")


def main() -> None:
    """Print a table; exit code 1 where all formats together take too long or too much."""
    schools = int(sys.argv[1]) if len(sys.argv) > 1 else SCHOOLS
    if len(sys.argv) > 2:
        one(sys.argv[2].split(","), schools)
        return
    print(f"{schools} schools\n{'format':8}{'s':>8}{'MB more':>9}{'MB':>7}{'kB':>9}")
    for names in (*report.FORMATS, ",".join(report.FORMATS)):
        command = [sys.executable, __file__, str(schools), names]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        took, more, most, size = printed.split()
        label = "all" if "," in names else names
        print(f"{label:8}{took:>8}{more:>9}{most:>7}{int(size) // 1024:>9}", flush=True)
    raise SystemExit(float(took) > ALLOWED_S or int(most) > ALLOWED_MB)


if __name__ == "__main__":
    main()

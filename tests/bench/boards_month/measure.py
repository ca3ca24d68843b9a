"""Every query of every panel, variable and alert on a real InfluxDB that holds a city-month.

    measure.py [--config collector.toml] [--schools 600] [--opengemini]

With --opengemini the same city goes into the openGemini that SCHOOLPULSE_TEST_OPENGEMINI_URL names
too: every query is asked there as well, and must give the same rows. Without a configuration it
starts Debian's InfluxDB with an empty folder and loads it; with one it asks the store that is
configured, which `city_month.py` has filled. Prints one line a query: milliseconds (median of
three, at each), rows, verdict. Ends with 1 when a query fails, brings nothing where the simulation
has something, gives other rows, or takes more than a second.
"""

from __future__ import annotations

import argparse
import calendar
import datetime as dt
import json
import os
import re
import statistics
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import city_month

import gemini
import influx_server
from agent.common.calendar import CITY_TIME
from collector import config as settings
from collector.config import Config
from collector.schema import MEASUREMENTS
from collector.store import buckets
from collector.store.factory import open_store
from dashboards import alerts, build
from dashboards.board import Asked, queries
from dashboards.edition import Edition

_LIMIT_MS = 1000
_TIMES = 3
#: What the simulated city has none of; of all districts there is no list of schools.
_MAY_BE_EMPTY = re.compile(
    r"dropped|模拟数据|microphone|camera|≥ 1000|100–1000|20–50|ids_beyond|DISTINCT\(\"code\"\)"
)
#: Questions of the last days' open hours, PCs and rooms: the newest evidence is of yesterday,
#: so that from Saturday evening until Monday night some bring none.
_LAST_DAYS = re.compile(
    r'"open" = true AND time > now\(\) - 1d|FROM "(machine|room)_day" .* - (36h|3d)'
)


class Answer(NamedTuple):
    """How long one query took, what came."""

    rows: int
    ms: float
    error: str
    first: list[Any]
    content: Sequence[str] = ()  # each row with its series' tags, sorted


class Database:
    """/query of one InfluxDB, as Grafana asks it."""

    def __init__(self, config: Config) -> None:
        self._store = config.store

    def ask(self, retention: str, text: str) -> Answer:
        """One query: its rows and its time."""
        name = self._store.telemetry if retention == "telemetry" else self._store.evidence
        form = urllib.parse.urlencode({"db": name, "q": text, "epoch": "ms"})
        request = urllib.request.Request(f"{self._store.url}/query?{form}")
        if self._store.token:
            request.add_header("Authorization", f"Token {self._store.token}")
        started = time.monotonic()
        with urllib.request.urlopen(request, timeout=60) as reply:
            body = reply.read()
        ms = (time.monotonic() - started) * 1000
        (result,) = json.loads(body)["results"]
        rows = [row for series in result.get("series", ()) for row in series["values"]]
        error = result.get("error", "").replace("measurement not found", "")  # no row of it
        return Answer(len(rows), ms, error, rows[:1], _content(result))


def _content(result: Mapping[str, Any]) -> list[str]:
    return sorted(
        repr([*sorted(series.get("tags", {}).items()), *series["columns"], *map(_rounded, row)])
        for series in result.get("series", ())
        for row in series["values"]
    )


def _rounded(cell: object) -> object:
    """Sums of floats depend on the order in which they are added."""
    return float(f"{cell:.9g}") if isinstance(cell, int | float) else cell


class Filled:
    """Variables and time as Grafana fills them in."""

    def __init__(self, database: Database, school: str) -> None:
        self._values = {
            "__interval": "30m",
            "city": "630100", "district": ".*", "school": school, "room": ".*", "schools": "",
        }  # fmt: skip
        text = 'SELECT last("version") AS "v" FROM "agent"'
        self._values["version"] = str(database.ask("telemetry", text).first[0][1])

    def __call__(self, text: str, since: str) -> str:
        """`since` is the board's own first time, such as `now-30d`."""
        days = int(since.removeprefix("now-")[:-1]) * (365 if since.endswith("y") else 1)
        now = dt.datetime.now(dt.UTC)
        first = now - dt.timedelta(days=days)
        stamps = [int(t.timestamp() * 1000) for t in (first, now)]
        self._values["timeFilter"] = f"time >= {stamps[0]}ms and time <= {stamps[1]}ms"

        def value(found: re.Match[str]) -> str:
            return self._values[found.group(1) or found.group(2)]

        return re.sub(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)", value, text)


def asked() -> Iterator[tuple[str, str, Asked]]:
    """Every query: which board or rule, since when it shows, and what it asks."""
    for name, make in build.BOARDS.items():
        board = make(Edition("zh"))
        for query in queries(board):
            yield name, board["time"]["from"], query
    for query in alerts.queries(Edition("zh")):
        yield "alerts", "now-1d", query


def measure(database: Database, school: str, beside: Database | None = None) -> int:
    """Ask everything, print the table; how many fail."""
    filled = Filled(database, school)
    found = [_measured(database, beside, filled, *one) for one in asked()]
    for at, name in enumerate(("slowest", *(["slowest beside"] if beside else []))):
        print(f"{name} {max(one[1][at] for one in found):.0f} ms")
    failed = sum(bool(said) for said, _ in found)
    print(f"{len(found)} queries, {failed} failed")
    return failed


def _measured(
    database: Database,
    beside: Database | None,
    filled: Filled,
    board: str,
    since: str,
    query: Asked,
) -> tuple[str, list[float]]:
    """What is wrong with a query, and its time in ms at each database."""
    text = filled(query.text, since)
    asking = [database, *([beside] if beside else [])]
    rounds = [[one.ask(query.retention, text) for one in asking] for _ in range(_TIMES)]
    answers = list(zip(*rounds, strict=True))
    ms = [statistics.median(answer.ms for answer in of) for of in answers]
    first = answers[0][0]
    said = _said(first, ms[0], f"{board} {query.panel} {query.text}")
    for others, other_ms in zip(answers[1:], ms[1:], strict=True):
        said = said or _said(others[0], other_ms, "alerts")
        # A row's time may be that of the question: what is the same once is the same.
        pairs = zip(answers[0], others, strict=True)
        said = said or min((_differs(text, *pair) for pair in pairs), key=len)
    times = " ".join(f"{one:>6.0f}" for one in ms)
    print(f"{board:<11} {times} {first.rows:>7}  {query.panel} {query.ref} {said}")
    if said:
        print(f"    {text}")
    return said, ms


def _greatest(text: str, content: Sequence[str]) -> Sequence[str]:
    """Of `influxql.how_many` only the greatest row counts."""
    return content[-1:] if text.startswith('SELECT sum("n") AS "n" FROM (') else content


def _differs(text: str, one: Answer, other: Answer) -> str:
    here, there = (set(_greatest(text, of.content)) for of in (one, other))
    if here == there:
        return ""
    here, there = here - there, there - here
    return f"DIFFERS {other.rows} rows; {sorted(here)[:1]} against {sorted(there)[:1]}"


def _said(answer: Answer, ms: float, what: str) -> str:
    if answer.error:
        return f"ERROR {answer.error}"
    if not answer.rows and not what.startswith("alerts") and not _may_be_empty(what):
        return "EMPTY"
    return "SLOW" if ms > _LIMIT_MS else ""


def _may_be_empty(what: str) -> bool:
    today = dt.datetime.now(CITY_TIME).weekday()
    quiet = today in (calendar.SATURDAY, calendar.SUNDAY, calendar.MONDAY)
    return bool(_MAY_BE_EMPTY.search(what) or (quiet and _LAST_DAYS.search(what)))


def _debian(folder: Path, schools: int, opengemini: str) -> int:
    """Load and measure on an InfluxDB of our own."""
    now = dt.datetime.now(CITY_TIME)
    city = city_month.made(schools, now.date())
    with influx_server.influx(folder) as influx:
        names: Mapping[str, str] = {n: influx.create(n) for n in ("telemetry", "evidence")}
        store = settings.Store(kind="influxdb", url=influx.url, telemetry_days=36500, **names)
        config = Config(data=str(folder / "data"), store=store)
        city_month.load(config, city, now)
        first, school = Database(config), city_month.shown_school(city)
        if not opengemini:
            return measure(first, school)
        names = {name: f"{name}-{int(now.timestamp())}" for name in names}
        store = settings.Store("opengemini", opengemini, telemetry_days=36500, **names)
        try:
            return measure(first, school, Database(_copied(config, Config(store=store))))
        finally:
            for name in names.values():
                gemini.drop(opengemini, name)


def _copied(source: Config, target: Config) -> Config:
    """The same rows in a new store; written twice, some time apart, as the keeper writes again."""
    buckets.set_up(target.store)
    gemini.wait_readable(target)
    with open_store(source) as one, open_store(target) as other:
        for _ in range(2):
            for name in MEASUREMENTS:
                city_month.write(other, one.read(name, 0, 2**62))
            time.sleep(other.limits.readable_s)
    return target


def main() -> int:
    """Measure; 1 where something fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config")
    parser.add_argument("--schools", type=int, default=600)
    parser.add_argument("--opengemini", action="store_true")
    args = parser.parse_args()
    if args.config is None:
        beside = os.environ["SCHOOLPULSE_TEST_OPENGEMINI_URL"] if args.opengemini else ""
        with tempfile.TemporaryDirectory(prefix="schoolpulse-boards-") as folder:
            return int(bool(_debian(Path(folder), args.schools, beside)))
    config, _ = settings.load(args.config)
    city = city_month.made(args.schools, dt.datetime.now(CITY_TIME).date())
    return int(bool(measure(Database(config), city_month.shown_school(city))))


if __name__ == "__main__":
    sys.exit(main())

"""Every query of every panel, variable and alert on a real InfluxDB that holds a city-month.

    python tests/bench/boards_month/measure.py [--config collector.toml] [--schools 600]

Without a configuration it starts Debian's InfluxDB with an empty folder and loads it; with one
it asks the store that is configured, which `city_month.py` has filled. Prints one line a query:
milliseconds (median of three), rows, verdict. Ends with 1 when a query fails, brings nothing
where the simulation has something, or takes more than a second.
"""

from __future__ import annotations

import argparse
import calendar
import datetime as dt
import json
import re
import statistics
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import city_month

import services
from agent.common.calendar import CITY_TIME
from collector import config as settings
from collector.config import Config
from dashboards import alerts, build
from dashboards.board import Asked, queries
from dashboards.edition import Edition

_LIMIT_MS = 1000
_TIMES = 3
#: What the simulated city has none of; of all districts there is no list of schools.
_MAY_BE_EMPTY = re.compile(
    r"dropped|模拟数据|microphone|camera|≥ 1000|100–1000|20–50|ids_beyond|DISTINCT\(\"code\"\)"
)
#: Questions of the last day's open hours and PCs: on a Sunday there are none.
_OPEN_HOURS = re.compile(r'"open" = true AND time > now\(\) - 1d|FROM "machine_day" .* - 36h')


class Answer(NamedTuple):
    """How long one query took, what came."""

    rows: int
    ms: float
    error: str
    first: list[Any]


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
        return Answer(len(rows), ms, result.get("error", ""), rows[:1])


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


def measure(database: Database, school: str) -> int:
    """Ask everything, print the table; how many fail."""
    filled, failed, slowest = Filled(database, school), 0, 0.0
    print(f"{'board':<11} {'ms':>6} {'rows':>7}  panel")
    for board, since, query in asked():
        text = filled(query.text, since)
        answers = [database.ask(query.retention, text) for _ in range(_TIMES)]
        ms = statistics.median(answer.ms for answer in answers)
        answer = answers[0]
        said = _said(answer, ms, f"{board} {query.panel} {query.text}")
        failed += bool(said)
        slowest = max(slowest, ms)
        print(f"{board:<11} {ms:>6.0f} {answer.rows:>7}  {query.panel} {query.ref} {said}")
        if said:
            print(f"    {text}")
    print(f"slowest {slowest:.0f} ms; {failed} failed")
    return failed


def _said(answer: Answer, ms: float, what: str) -> str:
    if answer.error:
        return f"ERROR {answer.error}"
    if not answer.rows and not what.startswith("alerts") and not _may_be_empty(what):
        return "EMPTY"
    return "SLOW" if ms > _LIMIT_MS else ""


def _may_be_empty(what: str) -> bool:
    today = dt.datetime.now(CITY_TIME).weekday()
    sunday = today == calendar.SUNDAY
    return bool(_MAY_BE_EMPTY.search(what) or (sunday and _OPEN_HOURS.search(what)))


def _debian(folder: Path, schools: int) -> int:
    """Load and measure on an InfluxDB of our own."""
    with services.influx(folder) as influx:
        names: Mapping[str, str] = {n: influx.create(n) for n in ("telemetry", "evidence")}
        store = settings.Store(kind="influxdb", url=influx.url, telemetry_days=36500, **names)
        config = Config(data=str(folder / "data"), store=store)
        now = dt.datetime.now(CITY_TIME)
        city = city_month.made(schools, now.date())
        city_month.load(config, city, now)
        return measure(Database(config), city_month.shown_school(city))


def main() -> int:
    """Measure; 1 where something fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config")
    parser.add_argument("--schools", type=int, default=600)
    args = parser.parse_args()
    if args.config is None:
        with tempfile.TemporaryDirectory(prefix="schoolpulse-boards-") as folder:
            return int(bool(_debian(Path(folder), args.schools)))
    config, _ = settings.load(args.config)
    city = city_month.made(args.schools, dt.datetime.now(CITY_TIME).date())
    return int(bool(measure(Database(config), city_month.shown_school(city))))


if __name__ == "__main__":
    sys.exit(main())

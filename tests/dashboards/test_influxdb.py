"""The overview's queries on a real InfluxDB give the figure's own numbers.

The indicators there are those that `schoolpulse collect` wrote, as a process of its own.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import services
from agent.common.calendar import CITY_TIME
from agent.common.vocabulary.indicators import INDICATORS, SHARES, SHORT, title
from agent.common.vocabulary.verdicts import VERDICTS
from collector import config
from collector.compliance import evidence
from collector.compliance.figure import judge
from collector.compliance.model import Figure, Verdict
from collector.compliance.shares import shown_value
from collector.compliance.targets import goal, target
from collector.keeper import Keeper
from collector.keeper.midnight import midnight
from collector.roster.book import RegisterBook
from collector.simulate import writing
from collector.simulate.build import build
from collector.simulate.city import DISTRICTS, Size
from collector.store.base import Point, Store
from collector.store.factory import open_store
from dashboards import headlines, influxql, overview
from dashboards.board import Asked, queries
from dashboards.edition import Edition

TODAY = dt.datetime.now(CITY_TIME).date()  # the collector's keeper judges the day that it is
BEFORE = TODAY - dt.timedelta(days=30)

pytestmark = [pytest.mark.influxdb, pytest.mark.mosquitto, pytest.mark.slow]


class Board(NamedTuple):
    """A figure, and the databases that hold its indicators."""

    influx: Any
    databases: dict[str, str]
    figure: Figure

    def ask(self, query: Asked) -> list[dict[str, Any]]:
        """One query's rows, its series' tags among the columns."""
        start, stop = midnight(TODAY - dt.timedelta(days=365)), midnight(TODAY) + 86_400 * 10**9
        text = query.text.replace("$timeFilter", f"time >= {start} AND time < {stop}")
        text = text.replace("${city}", config.City().code).replace("$__interval", "1d")
        assert "$" not in text
        reply = self.influx.ask(text, self.databases[query.retention])["results"][0]
        assert "error" not in reply, text
        return [
            {**series.get("tags", {}), **dict(zip(series["columns"], row, strict=True))}
            for series in reply.get("series", ())
            for row in series["values"]
        ]


@pytest.fixture(scope="module")
def board(influxdb: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    folder = tmp_path_factory.mktemp("board")
    databases = {kind: influxdb.create(f"board_{kind}") for kind in ("telemetry", "evidence")}
    city = build(Size(16, 7, TODAY.year), TODAY, TODAY - dt.timedelta(days=1), days=90)
    book = RegisterBook(folder / "register.db")
    writing.write_register(book, city)
    register = book.load()
    with services.broker("mosquitto", folder) as broker:
        file = _settings(folder, influxdb.url, databases, broker.port)
        settings, warnings = config.load(str(file))
        assert warnings == []
        with open_store(settings) as store:
            writing.write_evidence(store, city)
            _collect(file, folder / "collect.log", store)
            # A month before, judged the same way, for the trend.
            keeper = Keeper(store, lambda: register, settings.figure, settings.city)
            assert keeper.judge(BEFORE)
            store.write(list(_own_counts()))
            found = evidence.load(store, register, settings.figure, TODAY)
        figure = judge(
            register, found, settings.figure, settings.city, year=TODAY.year, today=TODAY
        )
    yield Board(influxdb, databases, figure)
    for name in databases.values():
        influxdb.drop(name)


def _settings(folder: Path, url: str, databases: dict[str, str], port: int) -> Path:
    names = "".join(f'{kind} = "{name}"\n' for kind, name in databases.items())
    text = f'data = "{folder}"\n[mqtt]\nport = {port}\n[store]\nkind = "influxdb"\n'
    file = folder / "collector.toml"
    file.write_text(f'{text}url = "{url}"\n{names}', "utf-8")
    return file


def _collect(file: Path, log: Path, store: Store) -> None:
    """Run the collector until its keeper has written the day's indicators."""
    argv = [sys.executable, "-m", "collector.cli", "collect", "--config", str(file)]
    start = midnight(TODAY)
    with services.started(argv, log) as process:
        deadline = time.monotonic() + 240
        while not list(store.read("indicator", start, start + 1)):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
    assert process.returncode == 0, log.read_text()


def _own_counts() -> Iterator[Point]:
    """What a collector says of itself, two minutes of it, before the one that runs here began:
    its counts are smaller, which is no rate."""
    before = int((dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10)).timestamp() * 10**9)
    for minute, stored in enumerate((100, 130)):
        fields = {"received": stored, "stored": stored, "queue": 3, "held": 0, "quarantined": 0}
        yield Point("collector", {}, fields, before + minute * 60 * 10**9)
        yield Point("collector", {}, {"keeper": "1/1 0a0b0c0d"}, before + minute * 60 * 10**9 + 1)


def _asked(title: str, kind: str) -> list[Asked]:
    built = overview.build(Edition("zh"))
    kinds = {panel["id"]: panel["type"] for panel in built["panels"]}
    panels = [panel for panel in built["panels"] if kinds[panel["id"]] == kind]
    return list(queries({**built, "panels": [p for p in panels if p["title"] == title]}))


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_query_runs_and_brings_rows(board: Board, lang: Any) -> None:
    for query in queries(overview.build(Edition(lang))):
        if '"school_hour"' in query.text:
            board.ask(query)  # of the last day, which may be a holiday
        elif query.retention == "evidence":
            assert board.ask(query), query.text
        else:  # its points are of this minute, which the figure's year may not reach
            text = query.text.replace("$timeFilter", "time > now() - 1h")
            reply = board.influx.ask(
                text.replace("$__interval", "1m"), board.databases["telemetry"]
            )
            assert reply["results"][0]["series"], query.text


@pytest.mark.parametrize("indicator", INDICATORS)
def test_the_city_numbers_are_the_figures(board: Board, indicator: Any) -> None:
    tally = board.figure.tallies[config.City().code, indicator]
    value = goal(target(board.figure, indicator))
    assert value is not None
    (headline,) = _asked(title(indicator).zh, "stat")
    (row,) = board.ask(headline)
    assert row["核实率"] == shown_value(tally.verified, value)
    assert row["目标"] == float(value * 100)
    good = tally.counts[Verdict.VERIFIED] + tally.counts[Verdict.INSPECTED]
    assert row["还差"] == math.ceil(value * tally.all) - good

    (against,) = _asked(title(indicator).zh, "bargauge")
    (row,) = board.ask(against)
    assert row["上报率"] == shown_value(tally.reported, value)
    assert row["上限"] == shown_value(tally.ceiling, value)
    assert row["未知率"] == shown_value(tally.unknown)
    assert row["目标"] == float(value * 100)


@pytest.mark.parametrize("indicator", INDICATORS)
def test_the_district_table_is_the_figure(board: Board, indicator: Any) -> None:
    (asked,) = _asked(title(indicator).zh, "table")
    rows = {row["area"]: row for row in board.ask(asked)}
    districts = {area.code: area for area in board.figure.areas if area.level == "district"}
    assert set(rows) == set(districts)
    assert set(DISTRICTS) <= set(rows)
    for code, row in rows.items():
        tally = board.figure.tallies[code, indicator]
        assert row["区县"] == districts[code].name
        assert row["总数"] == tally.all
        for verdict in Verdict:
            assert row[VERDICTS[verdict].zh] == tally.counts[verdict]
        assert row[SHARES["verified_share"].zh] == shown_value(
            tally.verified, goal(target(board.figure, indicator))
        )


def test_one_table_of_districts_says_what_is_missing_to_each_target(board: Board) -> None:
    asked = _asked("各区县", "table")
    assert len(asked) == len(INDICATORS)
    for indicator, query in zip(INDICATORS, asked, strict=True):
        called = SHORT[indicator].zh
        value = goal(target(board.figure, indicator))
        assert value is not None
        for row in board.ask(query):
            tally = board.figure.tallies[row["area"], indicator]
            good = tally.counts[Verdict.VERIFIED] + tally.counts[Verdict.INSPECTED]
            assert row[called] == shown_value(tally.verified, value)
            assert row[f"{called} · 还差"] == math.ceil(value * tally.all) - good


def test_a_zero_is_told_from_an_absence(board: Board) -> None:
    """None of the rows asked for, with and without data coming in."""
    none = influxql.rows(
        "line_day", ["p90_mbps"], {"p90_mbps": influxql.Beyond("<", -1)}, "time > 0"
    )
    some = influxql.rows(
        "line_day", ["p90_mbps"], {"p90_mbps": influxql.Beyond(">", 0)}, "time > 0"
    )

    def said(inner: str, alive: str) -> list[float]:
        text = influxql.how_many("p90_mbps", inner, alive)
        return [row["n"] for row in board.ask(Asked("", "", "evidence", text))]

    assert said(none, headlines.days_judged()) == [0]
    assert said(none, headlines.days_judged("time > now() + 1d")) == []
    lines = len(board.ask(Asked("", "", "evidence", some)))
    assert lines > 0
    assert max(said(some, headlines.days_judged())) == lines


def test_the_trend_has_a_value_for_each_day_judged(board: Board) -> None:
    (asked,) = _asked(title("line").zh, "timeseries")
    rows = board.ask(asked)
    assert len(rows) == 2
    assert rows[-1]["核实率"] is not None


def test_the_board_says_that_the_data_are_simulated(board: Board) -> None:
    (asked,) = _asked("数据性质", "stat")
    assert [row["数据"] for row in board.ask(asked)] == [True]

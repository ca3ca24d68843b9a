"""The newest rows of each area, and the rules over lines and open hours, asked of real databases:
Debian's InfluxDB, and openGemini where SCHOOLPULSE_TEST_OPENGEMINI_URL names one.
"""

from __future__ import annotations

import json
import os
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

import gemini
from collector import config
from collector.config import Config
from collector.store import buckets
from collector.store.base import Point
from collector.store.factory import open_store
from dashboards import influxql
from dashboards.alert_rules import Question, of_schools
from dashboards.edition import Edition

pytestmark = pytest.mark.influxdb
_GEMINI = os.environ.get("SCHOOLPULSE_TEST_OPENGEMINI_URL", "")
_SKIP = pytest.mark.skipif(not _GEMINI, reason="SCHOOLPULSE_TEST_OPENGEMINI_URL names no server")
HOUR_NS = 3600 * 10**9
CODES = [f"99630000{n:02}" for n in range(8)]
Ask = Callable[[list[Point], str], dict[str, Mapping[str, Any]]]


@pytest.fixture(params=["influxdb", pytest.param("opengemini", marks=_SKIP)])
def ask(request: pytest.FixtureRequest) -> Iterator[Ask]:
    """Stores points twice, as the keeper does; an answer's one row of each school or area."""
    names = {kind: f"{kind}-{uuid.uuid4().hex[:8]}" for kind in ("telemetry", "evidence")}
    url = _GEMINI
    if request.param == "influxdb":
        running = request.getfixturevalue("influxdb")
        url = running.bare
        for name in names.values():
            running.create(name)
    kind: Any = request.param
    made = Config(store=config.Store(kind, url, org="", telemetry_days=36_500, **names))
    if url == _GEMINI:
        buckets.set_up(made.store)
        gemini.wait_readable(made)

    def asked(points: list[Point], text: str) -> dict[str, Mapping[str, Any]]:
        with open_store(made) as store:
            for _ in range(2):
                store.write(points)
                time.sleep(store.limits.readable_s)
        form = urllib.parse.urlencode({"db": names["evidence"], "q": text})
        with urllib.request.urlopen(f"{url}/query?{form}", timeout=60) as reply:
            (result,) = json.load(reply)["results"]
        return dict(map(_one, result.get("series", ())))

    yield asked
    for name in names.values():
        gemini.drop(url, name)


def _one(series: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    (row,) = series["values"]
    tags = series["tags"]
    return tags.get("school") or tags["area"], dict(zip(series["columns"], row, strict=True))


def question(uid: str, number: int = 0) -> Question:
    """A rule's question."""
    return next(rule.asked[number] for rule in of_schools(Edition("zh")) if rule.uid == uid)


def hours(school: str, *pcs: int) -> list[Point]:
    """The newest open hours of a school, the newest first; one that is not open before them."""
    tags = {"school": school, "district": "630102"}
    now = time.time_ns()
    found = [
        Point("school_hour", tags, {"pcs": count, "open": True}, now - (n + 2) * HOUR_NS)
        for n, count in enumerate(pcs)
    ]
    return [*found, Point("school_hour", tags, {"pcs": 9, "open": False}, now - HOUR_NS)]


def test_the_newest_row_of_each_area_is_whole(ask: Ask) -> None:
    now = time.time_ns()
    points = [
        Point(
            "indicator",
            {"area": code, "district": code, "indicator": "line"},
            {"name": code, "all": n + age + 1, "verified": n, **({"target": 90.0} if age else {})},
            now - (age + 1) * HOUR_NS,
        )
        for n, code in enumerate(CODES)
        for age in range(3)
    ]
    text = influxql.latest(
        "indicator", {"all": "all", "name": "name", "target": "target"}, {"indicator": "line"},
        ("area",), influxql.TODAY, {"share": '"verified" / "all"'},
    )  # fmt: skip
    found = ask(points, text)
    assert {code: (row["name"], row["all"], row["target"]) for code, row in found.items()} == {
        code: (code, n + 1, None) for n, code in enumerate(CODES)
    }
    assert found[CODES[3]]["share"] == pytest.approx(3 / 4)


def test_a_school_is_silent_when_its_newest_open_hours_are_all_empty(ask: Ask) -> None:
    silent, one, started, young, back = CODES[:5]
    points = [
        *hours(silent, 0, 0, 0, 30), *hours(one, 0, 0, 1, 0), *hours(started, 1, 0, 0, 0),
        *hours(young, 0, 0), *hours(back, 30, 30, 30, 0),
    ]  # fmt: skip
    found = ask(points, question("schoolpulse-school-silent").text)
    assert {code: row["pcs"] * 3 < 0.5 for code, row in found.items()} == {
        silent: True, one: False, started: False, back: False,
    }  # fmt: skip


def test_a_line_without_a_test_ends_no_other_lines(ask: Ask) -> None:
    now = time.time_ns()
    points = [
        Point(
            "line_day",
            {"school": code, "district": "630102", "line": "主线"},
            {"contract_mbps": 500.0, "tests": n, **({"p90_mbps": 10.0 * n} if n % 3 else {})},
            now - HOUR_NS,
        )
        for n, code in enumerate(CODES)
    ]
    rule = next(r for r in of_schools(Edition("zh")) if r.asked[0].measurement == "line_day")
    found = ask(points, rule.asked[0].text)
    assert {code: row["p90"] for code, row in found.items()} == {
        code: 10.0 * n for n, code in enumerate(CODES) if n % 3
    }

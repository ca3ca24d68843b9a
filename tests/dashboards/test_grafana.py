"""In a real Grafana on a real InfluxDB: boards are kept as they are, alerts fire and clear.

Runs where these are given: SCHOOLPULSE_TEST_GRAFANA_URL, SCHOOLPULSE_TEST_GRAFANA_LOGIN
(user:password of an administrator) and, of an InfluxDB 2, SCHOOLPULSE_TEST_INFLUX_URL, _TOKEN and
_ORG; without these, Debian's InfluxDB is started here, beside a Grafana on this machine. Rules
are looked at every ten seconds here and need not hold for minutes; all else is as provisioned.
"""

from __future__ import annotations

import datetime as dt
import os
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

import grafana
from agent.common.calendar import CITY_TIME
from agent.common.vocabulary.words import LANGS
from collector import config
from collector.keeper.midnight import midnight
from collector.store.base import Point, Value
from collector.store.influx import InfluxStore
from dashboards import alerts, build
from dashboards.edition import Edition

SERVER = {
    name: os.environ.get(f"SCHOOLPULSE_TEST_INFLUX_{name}", "") for name in ("URL", "TOKEN", "ORG")
}
pytestmark = [
    grafana.given,
    pytest.mark.slow,
]
_PATIENCE_S = 400
TAGS = {"school": "9900000001", "district": "630102"}
#: Slow on one day only, and silent in one hour only: nobody must be told.
CALM = {"school": "9900000002", "district": "630102"}
#: A name with whatever means something to a template or a pattern.
_ODD = '甲"小学" {{ $1 }} (.*) =100%'


ask = grafana.chosen().ask


class Place(NamedTuple):
    """Buckets of our own, a folder, and data sources that read them."""

    store: InfluxStore
    folder: str
    sources: dict[str, str]


@pytest.fixture(scope="module")
def buckets(request: pytest.FixtureRequest) -> Iterator[tuple[config.Store, dict[str, str]]]:
    """A store of our own on the InfluxDB given, or on one that is started."""
    name = uuid.uuid4().hex[:8]
    names = {kind: f"{kind}-{name}" for kind in ("evidence", "telemetry")}
    if not SERVER["URL"]:
        influx = request.getfixturevalue("influxdb")
        made = {kind: influx.create(called.replace("-", "_")) for kind, called in names.items()}
        yield config.Store(kind="influxdb", url=influx.url, **made), made
        for database in made.values():
            influx.drop(database)
        return
    from influxdb_client import InfluxDBClient

    with InfluxDBClient(SERVER["URL"], SERVER["TOKEN"], org=SERVER["ORG"]) as client:
        api: Any = client.buckets_api()
        kept = [api.create_bucket(bucket_name=bucket) for bucket in names.values()]
        server = {"url": SERVER["URL"], "token": SERVER["TOKEN"], "org": SERVER["ORG"]}
        yield config.Store(kind="influxdb", **server, **names), names
        for bucket in kept:
            api.delete_bucket(bucket)


@pytest.fixture(scope="module")
def place(buckets: tuple[config.Store, dict[str, str]]) -> Iterator[Place]:
    settings, names = buckets
    name = uuid.uuid4().hex[:8]
    sources = {kind: _source(settings.url, bucket) for kind, bucket in names.items()}
    folder = ask("POST", "/folders", {"uid": f"f{name}", "title": f"test {name}"})["uid"]
    with InfluxStore(settings) as store:
        yield Place(store, folder, sources)
    ask("DELETE", f"/folders/{folder}?forceDeleteRules=true")
    for uid in sources.values():
        ask("DELETE", f"/datasources/uid/{uid}")


def _source(url: str, bucket: str) -> str:
    body = {
        "name": f"test {bucket}", "type": "influxdb", "access": "proxy", "url": url,
        "database": bucket,
        "jsonData": {"dbName": bucket, "httpMode": "GET", "httpHeaderName1": "Authorization"},
        "secureJsonData": {"httpHeaderValue1": f"Token {SERVER['TOKEN']}"},
    }  # fmt: skip
    return str(ask("POST", "/datasources", body)["datasource"]["uid"])


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", build.BOARDS)
def test_grafana_keeps_the_board_as_it_is(place: Place, name: str, lang: Any) -> None:
    board = {**build.BOARDS[name](Edition(lang)), "uid": f"t-{name}-{lang}"}
    body = {"dashboard": {**board, "id": None}, "folderUid": place.folder, "overwrite": True}
    assert ask("POST", "/dashboards/db", body)["status"] == "success"
    kept = ask("GET", f"/dashboards/uid/{board['uid']}")["dashboard"]
    assert {key: kept[key] for key in board} == board


def test_every_alert_fires_and_clears(place: Place) -> None:
    edition = Edition("zh", schools={CALM["school"]: "乙小学", TAGS["school"]: _ODD})
    for group in alerts.groups(edition, place.sources.__getitem__):
        for rule in group["rules"]:
            sent = {**rule, "uid": f"t-{rule['uid'][:30]}", "for": "0s"}
            sent |= {"folderUID": place.folder, "ruleGroup": "all", "orgID": 1}
            ask("POST", "/v1/provisioning/alert-rules", sent)
    path = f"/v1/provisioning/folder/{place.folder}/rule-groups/all"
    ask("PUT", path, {**ask("GET", path), "interval": 10})
    place.store.write(list(_well()))
    titles = {rule.title.zh for rule in alerts.rules(Edition("zh"))}
    _wait(lambda: _states(place) == {}, "calm at first", place)
    now = _now()
    place.store.write(list(_causes(now)))
    _wait(lambda: set(_states(place)) == titles, "all fire", place)
    found = _states(place)
    schools = {name: labels for name, labels in found.items() if any(labels)}
    assert set(schools.values()) == {("9900000001",)}, "one slow day or silent hour tells nobody"
    for told in _told(place):
        assert "{{" not in told["summary"].replace(_ODD, "") + told["board"], told
        assert told["board"].startswith("http"), "a message is read outside Grafana"
        if "var-school" in told["board"]:
            assert f"{_ODD} 9900000001" in told["summary"]
            assert told["board"].endswith("-school-zh?var-school=9900000001")
    place.store.write(list(_remedies(now)))
    _wait(lambda: _states(place) == {}, "all clear", place)


def _states(place: Place) -> dict[str, tuple[str, ...]]:
    """Rules that fire -> the schools of which they tell."""
    groups = ask("GET", "/prometheus/grafana/api/v1/rules")["data"]["groups"]
    rules = [
        rule for group in groups if place.folder[1:] in group["file"] for rule in group["rules"]
    ]
    assert len(rules) in (0, len(alerts.rules(Edition("zh"))))
    told = {
        rule["name"]: tuple(
            sorted(
                one["labels"].get("school", "")
                for one in rule.get("alerts") or ()
                if one["state"].startswith("Alerting")
            )
        )
        for rule in rules
    }
    if any(rule["health"] not in ("ok", "unknown", "nodata") for rule in rules):
        pytest.fail(str([rule.get("lastError") for rule in rules]))
    looked = [rule for rule in rules if not rule["lastEvaluation"].startswith("0001")]
    return {name: schools for name, schools in told.items() if schools} if looked else {"": ()}


def _told(place: Place) -> list[dict[str, str]]:
    """What the messages say of each alert that fires."""
    groups = ask("GET", "/prometheus/grafana/api/v1/rules")["data"]["groups"]
    found = [
        one["annotations"]
        for group in groups
        if place.folder[1:] in group["file"]
        for rule in group["rules"]
        for one in rule.get("alerts") or ()
        if one["state"].startswith("Alerting")
    ]
    assert len(found) >= len(alerts.rules(Edition("zh")))
    return found


def _wait(met: Callable[[], bool], what: str, place: Place) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not met():
        assert time.monotonic() < deadline, f"{what}: {_states(place)}"
        time.sleep(2)


def _now() -> int:
    return time.time_ns()


def _days(count: int) -> list[int]:
    today = dt.datetime.now(CITY_TIME).date()
    return [midnight(today - dt.timedelta(days=n)) for n in range(count)]


def _own(**fields: Value) -> Point:
    usual: dict[str, Value] = {"queue": 3, "quarantined": 0, "keeper_lag_s": 20.0}
    return Point("collector", {}, {**usual, **fields}, _now())


def _well() -> Iterator[Point]:
    """A city in which nothing alarms."""
    yield _own(calendar_days=90, certificate_days=200, keeper_lag_s=5.0)
    hour = 3600 * 10**9
    for n in range(4):
        fields: dict[str, Value] = {"open": True, "pcs": 0 if n == 0 else 20}
        yield Point("school_hour", CALM, fields, (_now() // hour - n) * hour)
    for n, day in enumerate(_days(6)):
        line: dict[str, Value] = {"p90_mbps": 5.0 if n == 0 else 19.0, "contract_mbps": 20.0}
        yield Point("line_day", {**CALM, "line": "线路1"}, line, day)


def _causes(now: int) -> Iterator[Point]:
    hour = 3600 * 10**9
    for n in range(1, 5):
        silent: dict[str, Value] = {"open": True, "pcs": 0}
        yield Point("school_hour", TAGS, silent, (now // hour - n) * hour)
    for day in _days(6):
        line: dict[str, Value] = {"p90_mbps": 6.0, "contract_mbps": 20.0}
        yield Point("line_day", {**TAGS, "line": "线路1"}, line, day)
        room: dict[str, Value] = {"pcs": 10, "seats": 40}
        yield Point("room_day", {**TAGS, "room": "机房1"}, room, day)
    device = {**TAGS, "room": "教室01", "machine": "m", "kind": "projector", "device": "d"}
    fault: dict[str, Value] = {"event": "fault", "detail": "lamp"}
    yield Point("event", device, fault, now - 48 * hour)
    yield Point("event", {**device, "device": "e"}, {"event": "gone"}, now - 48 * hour)
    for minutes, count in ((25, 0), (12, 2)):
        gone: dict[str, Value] = {"quarantined": count}
        yield Point("collector", {}, gone, now - minutes * 60 * 10**9)
    yield _own(calendar_days=5, certificate_days=7, queue=5000, quarantined=2, keeper_lag_s=900.0)


def _remedies(now: int) -> Iterator[Point]:
    hour = 3600 * 10**9
    yield Point("school_hour", TAGS, {"open": True, "pcs": 12}, now // hour * hour)
    today = _days(1)[0]
    yield Point("line_day", {**TAGS, "line": "线路1"}, {"p90_mbps": 19.0}, today)
    yield Point("room_day", {**TAGS, "room": "机房1"}, {"pcs": 38}, today)
    device = {**TAGS, "room": "教室01", "machine": "m", "kind": "projector", "device": "d"}
    yield Point("event", device, {"event": "repaired", "detail": "lamp"}, _now())
    yield Point("event", {**device, "device": "e"}, {"event": "appeared"}, _now())
    # An hour later, as far as the counter goes: what grew lies before the hour looked at.
    for minutes in (25, 12):
        yield Point("collector", {}, {"quarantined": 2}, now - minutes * 60 * 10**9)
    yield _own(calendar_days=90, certificate_days=200, quarantined=2, keeper_lag_s=5.0)

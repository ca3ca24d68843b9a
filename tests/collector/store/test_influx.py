"""The InfluxDB store against a real one: refusals, limits, outages, halves."""

from __future__ import annotations

import json
import random
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from collector.config import Store as Settings
from collector.store import faults
from collector.store.base import (
    MisconfiguredError,
    Point,
    RejectedError,
)
from collector.store.influx import InfluxStore

PC = {"school": "9963000001", "machine": "ab" * 16}
NOON = 1_780_000_000_000_000_000
DAY = 86_400 * 10**9


def agent(n: int, **fields: Any) -> Point:
    return Point("agent", PC, {"boot": "0" * 16, "number": n, **fields}, NOON + n)


def numbers(store: InfluxStore) -> list[Any]:
    return [point.fields.get("number") for point in store.read("agent", 0, 2**62)]


@pytest.fixture
def settings(influxdb: Any, request: pytest.FixtureRequest) -> Iterator[Settings]:
    name = request.node.name[:40]
    names = [influxdb.create(f"{kind} {name}") for kind in ("t", "e")]
    yield Settings("influxdb", influxdb.url, "", "", names[0], names[1], 36500)
    for made in names:
        influxdb.drop(made)


Opened = Callable[..., InfluxStore]


@pytest.fixture
def opened(settings: Settings) -> Iterator[Opened]:
    """A store with some of the settings changed."""
    stores: list[InfluxStore] = []

    def make(**changed: Any) -> InfluxStore:
        now = changed.pop("now", lambda: NOON / 10**9)
        values = {name: getattr(settings, name) for name in settings.__struct_fields__}
        stores.append(InfluxStore(Settings(**{**values, **changed}), now))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.mark.influxdb
def test_one_poison_line_in_a_batch_is_found(
    influxdb: Any, opened: Opened, settings: Settings
) -> None:
    # The server holds `version` as a number: every text for it is refused by the server alone.
    _write_raw(influxdb, settings.telemetry, f"agent,school=s version=1i {NOON}")
    store = opened()
    points = [agent(n) for n in range(500)]
    points[337] = agent(337, version="text")
    with pytest.raises(RejectedError) as caught:
        store.write(points)
    assert list(caught.value.points) == [points[337]]
    assert "conflict" in caught.value.reason
    assert [n for n in numbers(store) if n is not None] == [n for n in range(500) if n != 337]


def _write_raw(influxdb: Any, database: str, text: str) -> None:
    where = f"{influxdb.url}/write?" + urllib.parse.urlencode({"db": database})
    urllib.request.urlopen(urllib.request.Request(where, text.encode()), timeout=120).close()


@pytest.mark.influxdb
def test_a_body_too_large_is_halved(influxdb: Any, opened: Opened) -> None:
    draw = random.Random(1)
    noise = ["".join(map(chr, draw.choices(range(0x4E00, 0x9000), k=120))) for _ in range(400)]
    store = opened(url=influxdb.small)
    store.write([agent(n, number=n, version=text) for n, text in enumerate(noise)])
    assert numbers(store) == list(range(400))


@pytest.mark.influxdb
def test_one_line_too_large_is_refused(influxdb: Any, opened: Opened) -> None:
    noise = "".join(map(chr, random.Random(2).choices(range(0x4E00, 0x9000), k=30_000)))
    store = opened(url=influxdb.small)
    with pytest.raises(RejectedError) as caught:
        store.write([agent(1), agent(2, version=noise), agent(3)])
    assert [point.time - NOON for point in caught.value.points] == [2]
    assert numbers(store) == [1, 3]


@pytest.mark.influxdb
def test_a_database_that_is_not_there_is_misconfigured(opened: Opened) -> None:
    store = opened(telemetry="nowhere", evidence="nowhere")
    with pytest.raises(MisconfiguredError, match="nowhere"):
        store.write([agent(1)])
    with pytest.raises(MisconfiguredError, match="nowhere"):
        list(store.read("agent", 0, 1))
    with pytest.raises(MisconfiguredError, match="nowhere"):
        store.simulated()


@pytest.mark.influxdb
def test_each_class_goes_to_its_own_database(
    influxdb: Any, opened: Opened, settings: Settings
) -> None:
    test = Point("line_test", {**PC, "line": "a"}, {"outcome": "ok"}, NOON)
    opened().write([agent(1), test])
    for database, name in ((settings.telemetry, "agent"), (settings.evidence, "line_test")):
        told = influxdb.ask("SHOW MEASUREMENTS", database)
        assert told["results"][0]["series"][0]["values"] == [[name]]


@pytest.mark.influxdb
def test_telemetry_past_its_days_is_taken_and_forgotten(opened: Opened) -> None:
    store = opened(telemetry_days=90)
    old = agent(1)._replace(time=NOON - 91 * DAY)
    kept = Point("line_test", {**PC, "line": "a"}, {"outcome": "ok"}, NOON - 91 * DAY)
    store.write([old, agent(2), kept])
    assert numbers(store) == [2]
    assert list(store.read("line_test", 0, 2**62)) == [kept]


@pytest.mark.influxdb
def test_a_server_that_keeps_less_than_we_think_stops_nothing(
    influxdb: Any, opened: Opened
) -> None:
    influxdb.ask('CREATE DATABASE "short" WITH DURATION 1h')
    store = opened(telemetry="short", telemetry_days=36500)
    now = time.time_ns()
    fresh = agent(2)._replace(time=now)
    store.write([agent(1), fresh, agent(3)._replace(time=now - DAY)])
    assert numbers(store) == [2]
    influxdb.drop("short")


@pytest.mark.influxdb
def test_evidence_that_a_server_would_forget_is_refused_and_not_taken(
    influxdb: Any, opened: Opened
) -> None:
    """A bucket made by hand keeps 30 days by default; `doctor` reports that."""
    influxdb.ask('CREATE DATABASE "forgetful" WITH DURATION 30d')
    store, now = opened(evidence="forgetful"), time.time_ns()
    ages = enumerate((1, 40, 2, 50, 3))
    made = [Point("line_test", PC, {"outcome": "ok"}, now - days * DAY + n) for n, days in ages]
    with pytest.raises(RejectedError, match="retention") as caught:
        store.write([agent(1), *made])
    assert sorted(caught.value.points) == sorted([made[1], made[3]])
    assert sorted(store.read("line_test", 0, 2**62)) == sorted([made[0], made[2], made[4]])
    influxdb.drop("forgetful")


#: As 2.7 says it, of 2 lines that are too old, and of one from a year to come.
_OUTSIDE = (
    "failure writing points to database: partial write: dropped 2 points outside retention policy"
    " of duration 1h0m0s - oldest point agent,school=s at 2026-01-01T00:00:00Z dropped because it"
    " violates a Retention Policy {} Bound at 2026-01-02T00:00:00Z"
)


def test_too_old_lines_are_recognized_in_the_wording_of_every_version() -> None:
    for words, kind in (
        ("partial write: points beyond retention policy dropped=1", faults.ExpiredError),
        (_OUTSIDE.format("Lower"), faults.ExpiredError),
        (_OUTSIDE.format("Upper"), faults.LinesRefusedError),
    ):
        body = json.dumps({"code": "unprocessable entity", "message": words}).encode()
        assert type(faults.classed(422, body, "here")) is kind


@pytest.mark.influxdb
def test_a_poison_line_among_expired_ones_is_the_only_one_refused(
    influxdb: Any, opened: Opened
) -> None:
    influxdb.ask('CREATE DATABASE "mixed" WITH DURATION 1h')
    now, whole = time.time_ns(), {"boot": "b" * 16, "evidence": False}
    _write_raw(influxdb, "mixed", f"agent,school=s version=1i {now}")
    old = [Point("agent", PC, {**whole, "number": n}, now - DAY - n) for n in range(7)]
    fresh = [Point("agent", PC, {**whole, "number": n}, now + n) for n in range(7, 20)]
    poison = Point("agent", PC, {**whole, "number": 99, "version": "text"}, now + 99)
    store = opened(telemetry="mixed", telemetry_days=36500)
    with pytest.raises(RejectedError) as caught:
        store.write([*old, *fresh[:5], poison, *fresh[5:]])
    assert list(caught.value.points) == [poison]
    assert [n for n in numbers(store) if n is not None] == list(range(7, 20))
    influxdb.drop("mixed")


@pytest.mark.influxdb
def test_tag_values_beyond_an_address_are_filtered_here(opened: Opened) -> None:
    store = opened()
    store.write([agent(n) for n in range(20)])
    machines = [f"{n:032x}" for n in range(5000)] + [PC["machine"]]
    assert len(list(store.read("agent", 0, 2**62, {"machine": machines}))) == 20
    assert list(store.read("agent", 0, 2**62, {"machine": machines[:-1]})) == []


@pytest.mark.influxdb
def test_what_is_uncertain_is_seen_as_such_from_the_first_moment(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is visible of a row while it is written, its mark is: it is written before."""
    store = opened()
    post = store._writing.post
    seen: list[list[dict[str, Any]]] = []

    def watched(bucket: str, body: bytes) -> None:
        post(bucket, body)
        seen.append([dict(point.fields) for point in store.read("agent", 0, 2**62)])

    monkeypatch.setattr(store._writing, "post", watched)
    store.write([agent(1, uncertain=True, version="1"), agent(2)])
    whole = {"boot": "0" * 16, "number": 1, "version": "1", "uncertain": True}
    assert seen == [[], [whole, {"boot": "0" * 16, "number": 2}]]


@pytest.mark.influxdb
def test_a_clock_eight_days_ahead_of_the_servers_is_seen(settings: Settings) -> None:
    ahead = 8 * 86_400.0
    with InfluxStore(settings, now=lambda: time.time() + ahead) as store:
        assert store.clock_ahead is None
        assert numbers(store) == []
        assert store.clock_ahead == pytest.approx(ahead, abs=600)

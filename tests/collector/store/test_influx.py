"""The InfluxDB store against a real one: refusals, limits, outages, halves."""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from collector.config import Store as Settings
from collector.store import faults
from collector.store.base import (
    MisconfiguredError,
    Point,
    RejectedError,
    StoreError,
    UnavailableError,
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


def test_an_address_without_a_server_is_unavailable() -> None:
    with InfluxStore(Settings("influxdb", "http://127.0.0.1:1", telemetry_days=36500)) as store:
        with pytest.raises(UnavailableError):
            store.write([agent(1)])
        with pytest.raises(UnavailableError):
            list(store.read("agent", 0, 1))
        with pytest.raises(UnavailableError):
            store.simulated()


class _Server(ThreadingHTTPServer):
    """Answers everything with one reply, and remembers what it was asked."""

    status, body = 200, b""
    cut = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        self.send_response(self.server.status)
        more = 100 if self.server.cut else 0
        body = b"" if self.server.status == 204 else self.server.body
        self.send_header("Content-Length", str(len(body) + more))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def _store(server: _Server, token: str = "") -> InfluxStore:
    url = f"http://127.0.0.1:{server.server_address[1]}"
    return InfluxStore(Settings("influxdb", url, token, telemetry_days=36500))


def _error_reply(reason: str) -> bytes:
    return json.dumps({"error": reason}).encode()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, _error_reply("unable to parse"), RejectedError),
        (422, b'{"code":"unprocessable entity","message":"type conflict"}', RejectedError),
        (400, b"<html>plain HTTP request was sent to HTTPS port</html>", MisconfiguredError),
        (400, _error_reply("partial write: max-values-per-tag limit exceeded"), MisconfiguredError),
        (301, b"", MisconfiguredError),
        (401, _error_reply("unauthorized"), MisconfiguredError),
        (403, _error_reply("forbidden"), MisconfiguredError),
        (404, _error_reply("bucket not found"), MisconfiguredError),
        (405, b"", MisconfiguredError),
        (408, b"", UnavailableError),
        (
            400,
            b'{"code":"invalid","message":"Please provide either orgID or org"}',
            MisconfiguredError,
        ),
        (400, _error_reply("database is required"), MisconfiguredError),
        (400, _error_reply("unexpected EOF"), MisconfiguredError),
        (200, b"<html>Log in</html>", MisconfiguredError),
        (413, b"<html>", MisconfiguredError),
        (429, _error_reply("slow down"), UnavailableError),
        (500, _error_reply("timeout"), UnavailableError),
        (502, b"<html>Bad Gateway</html>", UnavailableError),
        (502, "<html>网关错误</html>".encode("gbk"), UnavailableError),
        (503, b"", UnavailableError),
    ],
)
def test_a_refused_write_is_classed_by_what_comes_next(
    server: _Server, status: int, body: bytes, kind: type[StoreError]
) -> None:
    server.status, server.body = status, body
    with _store(server) as store, pytest.raises(kind) as caught:
        store.write([agent(1)])
    assert type(caught.value) is kind
    assert len(server.asked) == 1  # no retries of its own


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b'{"results":[{"error":"database not found: x"}]}', MisconfiguredError),
        (200, _error_reply("timeout"), UnavailableError),
        (200, b'{"results":', UnavailableError),
        (200, b"<html>", UnavailableError),
        (200, b"[]", UnavailableError),
        (200, b"", UnavailableError),
        (401, _error_reply("unauthorized"), MisconfiguredError),
        (404, b"<html>", MisconfiguredError),
        (503, b"", UnavailableError),
    ],
)
def test_a_refused_read_is_classed_by_what_comes_next(
    server: _Server, status: int, body: bytes, kind: type[StoreError]
) -> None:
    server.status, server.body = status, body
    with _store(server) as store:
        with pytest.raises(kind):
            list(store.read("agent", 0, 1))
        with pytest.raises(kind):
            store.simulated()


def test_a_reply_cut_off_is_no_end(server: _Server) -> None:
    row = [NOON, 1, None]
    series = {"name": "agent", "columns": ["time", "number", "school"], "values": [row]}
    server.body = json.dumps({"results": [{"series": [series]}]}).encode() + b"\n"
    server.cut = True
    with _store(server) as store:
        rows = store.read("agent", 0, 2**62, fields=["number"])
        with pytest.raises(UnavailableError):
            list(rows)


_SERIES = (
    b'"series":[{"name":"agent","columns":["time","number","boot","school"],'
    b'"values":[[1780000000000000000,1,"0",null]]'
)


@pytest.mark.parametrize(
    "body",
    [
        # What InfluxDB 1.6 had sent when it was killed; nginx ended the reply normally.
        b'{"results":[{"statement_id":0,' + _SERIES + b',"partial":true}],"partial":true}]}\n',
        b'{"results":[{"statement_id":0,' + _SERIES + b'}],"partial":true}]}\n',
    ],
)
def test_a_reply_that_ends_in_good_order_before_its_end_is_no_end(
    server: _Server, body: bytes
) -> None:
    server.body = body
    with _store(server) as store, pytest.raises(UnavailableError):
        list(store.read("agent", 0, 2**62, fields=["number"]))


def test_nothing_is_invented_only_when_every_statement_is_answered(server: _Server) -> None:
    server.body = b'{"results":[{"statement_id":0}]}\n'
    with _store(server) as store, pytest.raises(UnavailableError):
        store.simulated()


@pytest.mark.parametrize("token", ["secret\n", "令牌"])
def test_a_token_that_no_request_can_carry_is_misconfigured(server: _Server, token: str) -> None:
    with _store(server, token) as store:
        with pytest.raises(MisconfiguredError) as caught:
            store.write([agent(1)])
        assert token.strip() not in str(caught.value)
        with pytest.raises(MisconfiguredError):
            list(store.read("agent", 0, 1))


def test_the_token_is_sent_with_reads_and_writes(server: _Server) -> None:
    server.status, server.body = 200, b'{"results":[{}]}'
    with _store(server, "secret") as store:
        server.status = 204
        store.write([agent(1)])
        server.status = 200
        assert list(store.read("agent", 0, 1)) == []
    (wrote, first), (read, second) = server.asked
    assert wrote.startswith("/api/v2/write?")
    assert "bucket=telemetry" in wrote
    assert read.startswith("/query?db=telemetry&q=SELECT")
    assert first["Authorization"] == second["Authorization"] == "Token secret"
    assert first["Content-Encoding"] == "gzip"


def test_without_a_token_none_is_sent(server: _Server) -> None:
    server.body = b'{"results":[{}]}'
    with _store(server) as store:
        list(store.read("agent", 0, 1))
        server.status = 204
        store.write([agent(1)])
    assert len(server.asked) == 2
    assert not any("Authorization" in headers for _, headers in server.asked)


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

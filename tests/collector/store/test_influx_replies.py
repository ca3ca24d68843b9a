"""How the InfluxDB store takes a server's replies: refusals, halves, tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from canned_server import CannedServer
from collector.config import Store as Settings
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


def agent(n: int, **fields: Any) -> Point:
    return Point("agent", PC, {"boot": "0" * 16, "number": n, **fields}, NOON + n)


def test_an_address_without_a_server_is_unavailable() -> None:
    with InfluxStore(Settings("influxdb", "http://127.0.0.1:1", telemetry_days=36500)) as store:
        with pytest.raises(UnavailableError):
            store.write([agent(1)])
        with pytest.raises(UnavailableError):
            list(store.read("agent", 0, 1))
        with pytest.raises(UnavailableError):
            store.simulated()


def _store(server: CannedServer, token: str = "") -> InfluxStore:
    return InfluxStore(Settings("influxdb", server.url, token, telemetry_days=36500))


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
    server: CannedServer, status: int, body: bytes, kind: type[StoreError]
) -> None:
    server.status, server.body = status, body
    with _store(server) as store, pytest.raises(kind) as caught:
        store.write([agent(1)])
    assert type(caught.value) is kind
    # No retries of its own: after 413 the same is compressed.
    assert len(server.asked) == 1 + (status == 413)


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
    server: CannedServer, status: int, body: bytes, kind: type[StoreError]
) -> None:
    server.status, server.body = status, body
    with _store(server) as store:
        with pytest.raises(kind):
            list(store.read("agent", 0, 1))
        with pytest.raises(kind):
            store.simulated()


def test_a_reply_cut_off_is_no_end(server: CannedServer) -> None:
    row = [NOON, 1, None]
    series = {"name": "agent", "columns": ["time", "number", "school"], "values": [row]}
    server.body = json.dumps({"results": [{"series": [series]}]}).encode() + b"\n"
    server.cut = True
    with _store(server) as store:
        rows = store.read("agent", 0, 2**62, fields=["number"])
        with pytest.raises(UnavailableError):
            list(rows)


@pytest.mark.parametrize("piece", [1, 7, 100, 1 << 20])
def test_the_rows_are_the_same_wherever_a_reply_is_cut_into_pieces(
    server: CannedServer, piece: int
) -> None:
    columns = ["time", "number", "boot", "school"]
    texts = [
        {"series": [{"name": "agent", "columns": columns, "values": [row]}]}
        for row in ([NOON + n, n, "0", f"学校{n}"] for n in range(20))
    ]
    lines = [json.dumps({"results": [text]}, ensure_ascii=False) for text in texts]
    server.body = "\n".join([*lines, ""]).encode()
    server.piece = piece
    with _store(server) as store:
        rows = list(store.read("agent", 0, 2**62, fields=["number"]))
    assert [(row.tags["school"], row.fields["number"]) for row in rows] == [
        (f"学校{n}", n) for n in range(20)
    ]


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
    server: CannedServer, body: bytes
) -> None:
    server.body = body
    with _store(server) as store, pytest.raises(UnavailableError):
        list(store.read("agent", 0, 2**62, fields=["number"]))


def test_nothing_is_invented_only_when_every_statement_is_answered(server: CannedServer) -> None:
    server.body = b'{"results":[{"statement_id":0}]}\n'
    with _store(server) as store, pytest.raises(UnavailableError):
        store.simulated()


@pytest.mark.parametrize("token", ["secret\n", "令牌"])
def test_a_token_that_no_request_can_carry_is_misconfigured(
    server: CannedServer, token: str
) -> None:
    with _store(server, token) as store:
        with pytest.raises(MisconfiguredError) as caught:
            store.write([agent(1)])
        assert token.strip() not in str(caught.value)
        with pytest.raises(MisconfiguredError):
            list(store.read("agent", 0, 1))


def test_the_token_is_sent_with_reads_and_writes(server: CannedServer) -> None:
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


def test_without_a_token_none_is_sent(server: CannedServer) -> None:
    server.body = b'{"results":[{}]}'
    with _store(server) as store:
        list(store.read("agent", 0, 1))
        server.status = 204
        store.write([agent(1)])
    assert len(server.asked) == 2
    assert not any("Authorization" in headers for _, headers in server.asked)

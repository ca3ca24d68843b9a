"""Writes to InfluxDB are compressed, except for a server on this machine."""

from __future__ import annotations

import pytest

from canned_server import CannedServer
from collector.config import Store as Settings
from collector.store.base import MisconfiguredError, Point
from collector.store.influx import InfluxStore

PC = {"school": "9963000001", "machine": "ab" * 16}
NOON = 1_780_000_000_000_000_000


def agent(n: int) -> Point:
    return Point("agent", PC, {"boot": "0" * 16, "number": n}, NOON + n)


def _store(server: CannedServer, host: str = "127.0.0.1") -> InfluxStore:
    url = server.url.replace("127.0.0.1", host)
    return InfluxStore(Settings("influxdb", url, telemetry_days=36500))


def _encodings(server: CannedServer) -> list[str]:
    return [headers.get("Content-Encoding", "") for _, headers in server.asked]


def test_writes_are_compressed_unless_the_server_is_on_this_machine(server: CannedServer) -> None:
    server.status = 204
    for host in ("127.0.0.1", "localhost", "0.0.0.0"):
        with _store(server, host=host) as store:
            store.write([agent(1)])
    assert _encodings(server) == ["", "", "gzip"]


def test_writes_are_compressed_where_a_proxy_on_this_machine_takes_no_more(
    server: CannedServer,
) -> None:
    with _store(server) as store:
        server.status = 413
        with pytest.raises(MisconfiguredError):
            store.write([agent(1)])
        server.status = 204
        store.write([agent(2)])
    assert _encodings(server) == ["", "gzip", "gzip"]


def test_a_write_is_told_for_what_it_is_though_another_thread_is_told_to_compress(
    server: CannedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between header and body: else the server reads neither, and the report is quarantined."""
    server.status = 204
    with _store(server) as store:
        login = store._writing._login

        def meanwhile() -> dict[str, str]:
            store._writing._compressed = True
            return login()

        monkeypatch.setattr(store._writing, "_login", meanwhile)
        store.write([agent(1)])
        store.write([agent(2)])
    assert [body[:2] == b"\x1f\x8b" for body in server.bodies] == [False, True]
    assert _encodings(server) == ["", "gzip"]

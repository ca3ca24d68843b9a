"""Writing to an InfluxDB that has /write alone, and logging in as `user:password`."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import influx_server
import services
from collector import config
from collector.store.base import MisconfiguredError, Point
from collector.store.influx import InfluxStore
from collector.store.influx_write import Writing, authorization

pytestmark = pytest.mark.influxdb
_NOON = 1_790_000_000 * 10**9
_ADMIN = ("keeper", "p:ä ss")  # the account may hold what an address cannot


def _agent(time: int) -> Point:
    tags = {"school": "9963000001", "machine": "ab" * 16}
    return Point("agent", tags, {"boot": "0" * 16, "number": 1}, time)


def _settings(url: str, token: str = "", name: str = "first") -> config.Store:
    return config.Store(
        kind="influxdb", url=url, token=token, telemetry=name, evidence=name, telemetry_days=36_500
    )


def test_the_missing_path_is_asked_for_once(
    influxdb: influx_server.Influx, monkeypatch: pytest.MonkeyPatch
) -> None:
    influxdb.create("first")
    asked: list[str] = []
    request = Writing._request

    def counted(self: Writing, path: str, query: dict[str, str], body: bytes) -> object:
        asked.append(path)
        return request(self, path, query, body)

    monkeypatch.setattr(Writing, "_request", counted)
    with InfluxStore(_settings(influxdb.bare)) as store:
        store.write([_agent(_NOON)])
        store.write([_agent(_NOON + 1)])
        assert len(list(store.read("agent", 0, 2**62))) == 2
    assert asked == ["/api/v2/write", "/write", "/write"]
    influxdb.drop("first")


def test_a_missing_database_is_not_taken_for_a_missing_path(influxdb: influx_server.Influx) -> None:
    with (
        InfluxStore(_settings(influxdb.bare, name="nowhere")) as store,
        pytest.raises(MisconfiguredError, match="nowhere"),
    ):
        store.write([_agent(_NOON)])


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A 1.6 that wants an account; its address."""
    with influx_server.bare_influx(tmp_path_factory.mktemp("guarded"), accounts=True) as url:
        name, password = _ADMIN
        _ask(url, f"CREATE USER \"{name}\" WITH PASSWORD '{password}' WITH ALL PRIVILEGES")
        _ask(url, 'CREATE DATABASE "first"', authorization(":".join(_ADMIN)))
        yield url


def _ask(url: str, query: str, headers: dict[str, str] | None = None) -> None:
    form = urllib.parse.urlencode({"q": query}).encode()
    request = urllib.request.Request(f"{url}/query", form, headers or {})
    with urllib.request.urlopen(request, timeout=services.PATIENCE_S) as reply:
        assert "error" not in json.dumps(json.load(reply))


def test_user_and_password_write_and_read(guarded: str) -> None:
    with InfluxStore(_settings(guarded, ":".join(_ADMIN))) as store:
        store.write([_agent(_NOON)])
        assert len(list(store.read("agent", 0, 2**62))) == 1


@pytest.mark.parametrize("token", ["", "keeper:wrong", "keeper", ":", "nobody:"])
def test_a_wrong_account_is_named_for_what_it_is(guarded: str, token: str) -> None:
    with InfluxStore(_settings(guarded, token)) as store:
        with pytest.raises(MisconfiguredError, match="401"):
            store.write([_agent(_NOON)])
        with pytest.raises(MisconfiguredError, match="401"):
            list(store.read("agent", 0, 2**62))


def test_a_token_is_no_account() -> None:
    assert authorization("") == {}
    assert authorization("abc==") == {"Authorization": "Token abc=="}


def test_the_password_leaves_no_trace_in_an_error(tmp_path: Path) -> None:
    with (
        InfluxStore(_settings("http://127.0.0.1:1", "user:secret-word")) as store,
        pytest.raises(Exception) as caught,  # noqa: PT011 - whatever it is
    ):
        store.write([_agent(_NOON)])
    assert "secret-word" not in str(caught.value)

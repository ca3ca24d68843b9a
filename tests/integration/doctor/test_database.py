"""What is wrong with the database: each cause has a fix of its own."""

from __future__ import annotations

import urllib.parse
import urllib.request
from pathlib import Path

import influx_server
import services
from collector.store.influx_write import authorization

from .conftest import Doctor, influx


def account_server(url: str) -> None:
    """A 1.x with an administrator, two databases, and a user who may do nothing."""
    login = ""  # the first user is made by nobody
    for query in (
        "CREATE USER root WITH PASSWORD 'correct' WITH ALL PRIVILEGES",
        'CREATE DATABASE "telemetry"', 'CREATE DATABASE "evidence"',
        "CREATE USER weak WITH PASSWORD 'correct'",
    ):  # fmt: skip
        form = urllib.parse.urlencode({"q": query}).encode()
        request = urllib.request.Request(f"{url}/query", form, authorization(login))
        with urllib.request.urlopen(request, timeout=services.PATIENCE_S) as answer:
            answer.read()  # its head comes before the query is done
        login = "root:correct"


def test_a_wrong_token_and_one_without_rights(tmp_path: Path, doctor: Doctor) -> None:
    folder = tmp_path / "influx"
    folder.mkdir()
    with influx_server.bare_influx(folder, accounts=True) as url:
        account_server(url)
        wrong = doctor(influx(url, "root:wrong"))["store"]
        weak = doctor(influx(url, "weak:correct"))["store"]
        well = doctor(influx(url, "root:correct"))["store"]
    assert "401" in wrong["detail"]
    assert "valid one" in wrong["fix"]
    assert "403" in weak["detail"]
    assert "telemetry and evidence" in weak["fix"]
    assert well["ok"], well


def test_a_first_influxdb_without_the_second_path_is_well(tmp_path: Path, doctor: Doctor) -> None:
    folder = tmp_path / "influx"
    folder.mkdir()
    with influx_server.bare_influx(folder) as url:
        found = doctor(influx(url), "--fix")
        assert found["buckets"]["ok"], found["buckets"]
        assert found["store"]["ok"], found["store"]


def test_a_database_that_is_dead_behind_a_proxy(tmp_path: Path, doctor: Doctor) -> None:
    proxy = services.require("nginx")
    folder = tmp_path / "proxy"
    with influx_server.nginx(proxy, folder, services.free_port(), "25m") as url:
        found = doctor(influx(url))
    assert "502" in found["store"]["detail"]
    assert "proxy answers" in found["store"]["fix"]
    assert found["not checked"]["ok"] is None
    assert not {"schools", "delivery", "PC clocks"} & set(found)
    for name in ("schools", "delivery", "PC clocks"):
        assert name in found["not checked"]["detail"]
    assert "store" in found["not checked"]["fix"]


def test_a_database_that_is_not_there(doctor: Doctor) -> None:
    refused = doctor(influx(f"http://127.0.0.1:{services.free_port()}"))
    unknown = doctor(influx("http://no-such-host.invalid:8086"))
    for name in ("buckets", "store", "keeper"):
        assert "nothing listens" in refused[name]["fix"]
        assert "DNS" in unknown[name]["fix"]
        for found in (refused, unknown):
            assert "Connection(" not in found[name]["detail"], "the words of a library"

"""Roles, groups, asking again, a year anew and /metrics: the collector as real processes."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

import services
from agent import wire
from collector.config import Config, Store
from collector.keeper.midnight import midnight

SCHOOL = "9900000001"
HOUR_MS = 3_600_000


@pytest.fixture(params=["mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Shared subscriptions are MQTT 5's: amqtt has none."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with services.broker(request.param, folder) as running:
        yield running


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def also(process: Any, *words: str) -> subprocess.Popen[bytes]:
    """A further process beside the first, with words of its own."""
    log = (process.folder / "other.log").open("ab")
    with log:
        return subprocess.Popen(process.argv("collect", *words), stderr=log)


def test_ingest_and_keeper_apart_derive_what_arrives(process: Any, voice: Any, kit: Any) -> None:
    process.enrol(SCHOOL)
    keeper = also(process, "--role", "keeper")
    try:
        with (process.folder / "collect.log").open("ab") as log:
            process.running = subprocess.Popen(
                process.argv("collect", "--role", "ingest"), stderr=log
            )
        process.up()
        pc = voice()
        for number in (2, 3):  # the second after the first was derived
            pc.say(number, kit.report())
            kit.until(
                lambda n=number: any(
                    point.fields.get("reports") == n - 1
                    for point in kit.points_of(process.config, "machine_day")
                ),
                what="the day's row",
            )
        assert kit.points_of(process.config, "school_hour")
        for role in ("ingest", "keeper", "all"):
            refused = process.run("collect", "--role", role)
            assert refused.returncode == 2, "the same role twice on one SQLite file"
            assert str(process.folder / "data") in refused.stderr
        keeper.send_signal(signal.SIGTERM)
        assert keeper.wait(kit.PATIENCE_S) == 0
    finally:
        if keeper.poll() is None:
            keeper.kill()
            keeper.wait()


def test_the_keeper_is_a_process_that_is_started_again_and_ends_with_the_collector(
    process: Any, voice: Any, kit: Any
) -> None:
    def keeper(other_than: int = 0) -> Any:
        """The keeper's process, once it is another one."""
        kit.until(
            lambda: any(one.pid != other_than for one in parent.children()), what="the keeper"
        )
        return next(one for one in parent.children() if one.pid != other_than)

    process.enrol(SCHOOL)
    process.start()
    process.up()
    parent = psutil.Process(process.running.pid)
    pc = voice()
    pid = 0
    for number in (2, 3, 4):
        found = keeper(other_than=pid)
        pid = found.pid
        assert found.parent() == parent
        pc.say(number, kit.report())
        kit.until(
            lambda n=number: any(
                point.fields.get("reports") == n - 1
                for point in kit.points_of(process.config, "machine_day")
            ),
            what="the day's row",
        )
        if number < 4:
            found.kill()
    process.end()
    kit.until(lambda: not found.is_running(), what="the keeper's end")
    process.start()
    process.up(2)
    found = psutil.Process(process.running.pid).children()
    assert process.signal(signal.SIGTERM) == 0
    assert not [one for one in found if one.is_running()]


def test_receipts_ask_again_after_a_restore(process: Any, voice: Any, kit: Any) -> None:
    process.enrol(SCHOOL)
    with (process.folder / "collect.log").open("ab") as log:
        words = ("collect", "--ask-again", "2026-11-20T08:00")
        process.running = subprocess.Popen(process.argv(*words), stderr=log)
    process.up()
    pc = voice()
    pc.say(1, wire.Hello(v=1, sent=5))
    kit.until(lambda: 1 in pc.stored)
    wanted = dt.datetime(2026, 11, 20, 8, tzinfo=wire.CITY_TIME).timestamp() * 1000
    assert 0 < wanted - (pc.receipts[-1].again_since or 0) <= 1000, "the second named is asked for"
    process.signal(signal.SIGTERM)
    process.start()
    process.up(2)
    before = len(pc.receipts)
    pc.say(2, kit.report())
    kit.until(lambda: len(pc.receipts) > before)
    assert pc.receipts[-1].again_since == pc.receipts[0].again_since, "a restart still asks"


def test_a_wrong_since_names_the_form(process: Any) -> None:
    refused = process.run("collect", "--ask-again", "yesterday")
    assert refused.returncode == 2
    assert "2026-11-24" in refused.stderr


def test_a_year_is_derived_anew(process: Any, kit: Any) -> None:
    from collector.store.base import Point
    from collector.store.factory import open_store

    process.enrol(SCHOOL)
    day = dt.datetime.now(wire.CITY_TIME).date()
    first = dt.date(day.year, 1, 5)
    with open_store(process.config) as store:
        tags = {"school": SCHOOL, "machine": "ab" * 16}
        at = midnight(first) + 9 * HOUR_MS * 10**6
        store.write([Point("agent", tags, {"boot": "0" * 16, "number": 2}, at)])
    done = process.run("collect", "--rederive", str(day.year))
    assert done.returncode == 0, done.stderr
    assert "重算" in done.stdout
    [row] = kit.points_of(process.config, "machine_day")
    assert row.time == midnight(first)
    hours = [p for p in kit.points_of(process.config, "school_hour") if p.fields["reports"]]
    assert [p.time for p in hours] == [at]
    assert {p.time for p in kit.points_of(process.config, "school_day")} >= {midnight(first)}
    again = process.run("collect", "--rederive", str(day.year))
    assert "改动 0 行" in again.stdout
    assert process.run("collect", "--rederive", "2999").returncode == 2


def test_metrics_of_a_running_collector(process: Any, voice: Any, kit: Any) -> None:
    port = services.free_port()
    process.more = f'metrics = "127.0.0.1:{port}"'
    process.enrol(SCHOOL)
    process.start()
    process.up()
    pc = voice()
    pc.say(2, kit.report())
    pc.say(3, b"junk")
    kit.until(lambda: pc.stored == {2, 3})

    def told() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=120) as reply:
            return str(reply.read().decode())

    kit.until(lambda: "schoolpulse_receipted_total 2" in told())
    text = told()
    assert "schoolpulse_stored_total 1" in text
    assert 'schoolpulse_quarantined_by_reason_total{reason="unreadable"} 1' in text
    if not services.other_broker():  # which have no $SYS
        kit.until(lambda: "schoolpulse_broker_clients" in told(), what="$SYS")


def test_two_collectors_of_a_group_share_the_reports(process: Any, voice: Any, kit: Any) -> None:
    process.enrol(SCHOOL)
    process.tables = 'group = "collectors"\n[store]\nkind = "sqlite"\n'
    made = []
    try:
        for n in (1, 2):  # folders of their own: stores and counts apart
            one = process.member(n, SCHOOL)
            made.append(one)
            one.start()
            one.up()
        pc = voice()
        said = 1

        def shares() -> list[set[int]]:
            nonlocal said
            for _ in range(40):
                said += 1
                pc.say(said, kit.report())
            kit.until(lambda: len(pc.stored) == said - 1, what="all receipts")
            return [{key[2] for key in kit.reports_of(one.config)} for one in made]

        def both() -> list[set[int]] | None:
            """On a busy machine one may have lost its connection for a while."""
            found = shares()
            return found if all(found) else None

        first, second = kit.until(both, what="a share for both")
        assert not first & second, "each report went to one of them"
        assert first | second == set(range(2, said + 1))
    finally:
        for one in made:
            one.end()


def test_a_keeper_elsewhere_learns_from_the_store_what_to_derive(
    process: Any, voice: Any, kit: Any, influxdb: Any
) -> None:
    names = [influxdb.create(f"{kind}-elsewhere") for kind in ("t", "e")]
    process.tables = (
        f'[store]\nkind = "influxdb"\nurl = "{influxdb.url}"\norg = ""\n'
        f'telemetry = "{names[0]}"\nevidence = "{names[1]}"\n'
    )
    process.enrol(SCHOOL)
    elsewhere = type(process)(process.folder / "k", process.port, tables=process.tables)
    elsewhere.folder.mkdir()
    elsewhere.enrol(SCHOOL)
    config = Config(store=Store("influxdb", influxdb.url, "", "", *names))
    with (process.folder / "collect.log").open("ab") as log:
        argv = process.argv("collect", "--role", "ingest")
        process.running = subprocess.Popen(argv, stderr=log)
    process.up()
    pc = voice()
    pc.say(2, kit.report(time_ms=now_ms() - 3 * 86_400_000))
    kit.until(lambda: 2 in pc.stored)
    keeper = also(elsewhere, "--role", "keeper")
    try:
        kit.until(lambda: kit.points_of(config, "machine_day"), what="the late day's row")
    finally:
        keeper.kill()
        keeper.wait()
        for name in names:
            influxdb.drop(name)

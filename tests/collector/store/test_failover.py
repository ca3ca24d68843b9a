"""One InfluxDB at two addresses, of which either may be cut: every call goes on at the other."""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from collector.config import Config, load
from collector.config import Store as Settings
from collector.schema import MEASUREMENTS
from collector.store import influx, unanswered
from collector.store.base import MisconfiguredError, Point, UnavailableError
from collector.store.factory import open_store
from collector.store.failover import FailoverStore
from collector.store.influx import InfluxStore
from relay import Relay, relay
from services import PATIENCE_S

NOON = 1_780_000_000_000_000_000
SCHOOL = {"school": "9963000001"}


class Ways(NamedTuple):
    """A store, its two addresses, and its clock in s."""

    store: FailoverStore
    first: Relay
    second: Relay
    clock: list[float]


@pytest.fixture
def ways(influxdb: Any, request: pytest.FixtureRequest) -> Iterator[Ways]:
    names = [influxdb.create(f"{kind} {request.node.name[:40]}") for kind in ("t", "e")]
    port = urllib.parse.urlsplit(influxdb.url).port
    clock = [0.0]
    with relay(port) as first, relay(port) as second:
        members = [
            InfluxStore(Settings("influxdb", one.url, "", "", *names, 36_500))
            for one in (first, second)
        ]
        with FailoverStore(members, lambda: clock[0]) as store:
            yield Ways(store, first, second, clock)
    for name in names:
        influxdb.drop(name)


def points(count: int, begin: int = 0) -> list[Point]:
    return [
        Point("school_hour", {**SCHOOL, "district": "630102"}, {"pcs": n, "open": True}, NOON + n)
        for n in range(begin, begin + count)
    ]


def times(store: FailoverStore) -> list[int]:
    return [row[0] - NOON for row in store.rows("school_hour", 0, 2**62, None, ["pcs"])]


def test_the_first_is_used_while_it_answers(ways: Ways) -> None:
    ways.store.write(points(3))
    assert times(ways.store) == [0, 1, 2]
    assert ways.first.seen > 0
    assert ways.second.seen == 0


def test_writes_and_reads_go_on_at_the_second_and_come_back(ways: Ways) -> None:
    ways.store.write(points(1))
    ways.first.open = False
    ways.store.write(points(1, 1))
    assert times(ways.store) == [0, 1]
    assert [point.time - NOON for point in ways.store.read("school_hour", 0, 2**62)] == [0, 1]
    assert not ways.store.simulated()
    ways.first.open = True
    seen = ways.first.seen
    ways.store.write(points(1, 2))
    assert ways.first.seen == seen, "passed over for a while"
    ways.clock[0] += 61
    ways.store.write(points(1, 3))
    assert ways.first.seen > seen
    assert times(ways.store) == [0, 1, 2, 3]


def test_none_answers(ways: Ways) -> None:
    ways.first.open = ways.second.open = False
    with pytest.raises(UnavailableError, match=str(ways.second.port)):
        ways.store.write(points(1))
    with pytest.raises(UnavailableError):
        times(ways.store)
    ways.second.open = True
    ways.store.write(points(1))
    assert times(ways.store) == [0], "a failed address is asked again where no other is left"


def test_an_answer_that_breaks_off_is_an_error_and_no_end(ways: Ways) -> None:
    for at in range(0, 40_000, 5000):
        ways.store.write(points(5000, at))
    ways.first.left = 1_000_000
    with pytest.raises(UnavailableError):
        times(ways.store)
    assert len(times(ways.store)) == 40_000, "the next call is the second's"


def test_a_wrong_setting_is_no_reason_to_ask_another(ways: Ways) -> None:
    with pytest.raises(MisconfiguredError):
        FailoverStore(
            [
                InfluxStore(Settings("influxdb", one.url, "", "", "none", "none", 36_500))
                for one in (ways.first, ways.second)
            ]
        ).write(points(1))
    assert ways.second.seen == 0


def test_the_settings_name_the_addresses(ways: Ways, tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    file.write_text(
        f'[store]\nkind = "influxdb"\nurl = "http://127.0.0.1:9"\nurls = ["{ways.second.url}"]\n'
    )
    settings: Config
    settings, _ = load(str(file))
    with open_store(settings) as store, pytest.raises(MisconfiguredError):
        store.write(points(1))  # no such bucket: the second answered
    assert ways.second.seen == 1


def test_values_that_can_be_gone_through_once_reach_the_second_address(ways: Ways) -> None:
    ways.store.write(points(2))
    ways.first.open = False
    found = ways.store.rows("school_hour", 0, 2**62, {"school": iter(SCHOOL.values())}, ["pcs"])
    assert [row[0] - NOON for row in found] == [0, 1]


def day(pcs: int, at: int = 0) -> list[Point]:
    """A derived row, as it was at some moment."""
    return [
        Point(
            "school_hour", {**SCHOOL, "district": "630102"}, {"pcs": pcs, "open": True}, NOON + at
        )
    ]


def pcs(ways: Ways) -> int:
    """Of that row, as the second address has it."""
    return int(next(iter(ways.store.rows("school_hour", NOON, NOON + 1, None, ["pcs"])))[-1])


@pytest.fixture
def stopped(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Ways:
    """The first address stands still: it holds a row that was stored newer elsewhere since."""
    monkeypatch.setattr(influx, "_REPLY_S", 2)
    ways: Ways = request.getfixturevalue("ways")
    ways.store.write(day(1))
    ways.first.passing.clear()
    ways.store.write(day(2))
    ways.store.write(day(3))
    assert pcs(ways) == 3
    return ways


def wait_overwritten(ways: Ways) -> None:
    """It goes on, and what it held is stored."""
    ways.first.passing.set()
    until = time.monotonic() + PATIENCE_S
    while pcs(ways) != 2:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_late_row_does_not_stay_over_a_newer_one(stopped: Ways) -> None:
    wait_overwritten(stopped)
    stopped.clock[0] += 61
    stopped.store.write(day(9, at=5))
    assert pcs(stopped) == 3


def test_a_row_that_comes_after_its_address_answered_does_not_stay_either(
    stopped: Ways,
) -> None:
    wait_overwritten(stopped)
    stopped.clock[0] += 61
    stopped.store.write(day(9, at=5))
    stopped.first.open = False
    ways = stopped._replace(store=FailoverStore(stopped.store._members, lambda: 0.0))
    ways.store.write(day(2))  # as if it came only now: by another store, which knows of nothing
    stopped.first.open = True
    stopped.clock[0] += 61
    stopped.store.write(day(9, at=6))
    assert pcs(stopped) == 3


def test_a_row_written_by_now_is_not_replaced_by_the_one_before(stopped: Ways) -> None:
    wait_overwritten(stopped)
    stopped.clock[0] += 61
    stopped.store.write(day(4))
    assert pcs(stopped) == 4
    stopped.clock[0] += 61
    stopped.store.write(day(9, at=5))
    assert pcs(stopped) == 4


def test_an_address_that_takes_no_connection_holds_no_rows(ways: Ways) -> None:
    ways.first.close()
    for n in range(3):
        ways.store.write(day(n))
        ways.clock[0] += 61
    assert not any(one._newest for one in ways.store._unanswered)


def test_of_an_address_that_stays_silent_so_many_rows_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unanswered, "_MOST", 10)
    one = unanswered.Unanswered()
    one.came(points(25))
    one.stored(points(25))
    assert one.due(0.0) == points(10, 15)


def test_reports_are_not_kept() -> None:
    every = [Point(name, {}, {}, 0) for name in MEASUREMENTS]
    raw = {"agent", "host", "device", "presence", "line_test", "line_record", "collector", "broker"}
    assert raw | {point.measurement for point in unanswered.may_change(every)} == set(MEASUREMENTS)

"""Which tests of a line are valid: each flaw, and which record is a test's own."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from judged_line import FIVE, D, V, line

FLAWS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("wired", {"wired": False}, {}, "not_wired"),
    ("wired, and known to be", {"wired": None}, {}, "not_wired"),
    ("a loopback is no line", {"wired": False, "interface": "lo"}, {}, "loopback"),
    ("alone on the line", {"solo": False}, {}, "not_alone"),
    ("alone, and known to be", {"solo": None}, {}, "not_alone"),
    ("alone by the server's word too", {}, {"solo": False}, "not_alone"),
    ("other local traffic < 5%", {"other_share": 0.05}, {}, "other_traffic"),
    ("other local traffic, and known to be", {"other_share": None}, {}, "other_traffic"),
    ("no error", {"outcome": "aborted"}, {}, "error"),
    ("no error, a rate", {"down_mbps": None}, {}, "no_rate"),
    ("not limited by the server", {"server_limited": True}, {}, "server_limited"),
    ("not limited by the server, and known", {"server_limited": None}, {}, "server_limited"),
    ("the agent's own doubt, beside its PC's", {"reason": "pc_limited, wifi"}, {}, "said_invalid"),
    ("the agent's own doubt", {"reason": "?"}, {}, "said_invalid"),
    ("confirmed by the server's record", {}, {"outcome": ""}, "no_record"),
    ("a record of a finished test", {}, {"outcome": "expired"}, "record_failed"),
    ("payload ≤ the bytes that the server sent", {}, {"sent_bytes": 9_999_999}, "payload"),
    ("rate ≤ 1.08 × the server's", {}, {"down_mbps": 11.1}, "rate"),
    ("a rate of the server's", {}, {"down_mbps": None}, "rate"),
]


@pytest.mark.parametrize(
    ("more", "record", "why"), [flaw[1:] for flaw in FLAWS], ids=[flaw[0] for flaw in FLAWS]
)
def test_valid(town: Any, more: dict[str, Any], record: dict[str, Any], why: str) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2, record=record, **more)
    assert town.unit("line").verdict is D
    assert dict(line(town).refused) == {why: 10}


def test_one_days_tests_cannot_be_dated_onto_ten(town: Any) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2)
    made = town.records[0].time  # by the server's word all of them were then
    town.records[:] = [dataclasses.replace(record, time=made) for record in town.records]
    assert town.unit("line").verdict is D
    assert dict(line(town).refused) == {"time": 8}


def test_a_report_some_minutes_from_its_record_counts(town: Any) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2)
    five = 5 * 60 * 10**9
    town.records[:] = [
        dataclasses.replace(record, time=record.time + five) for record in town.records
    ]
    assert town.unit("line").verdict is V


@pytest.mark.parametrize(
    ("more", "record"),
    [
        ({"other_share": 0.0499}, {}),
        ({}, {"down_mbps": 11.2}),  # 12 ≤ 12.096
        ({}, {"sent_bytes": 10_000_000}),
    ],
)
def test_still_valid(town: Any, more: dict[str, Any], record: dict[str, Any]) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2, record=record, **more)
    assert town.unit("line").verdict is V


@pytest.mark.parametrize("changed", ["school", "line", "test"])
def test_the_record_is_of_the_same_id_school_and_line(town: Any, changed: str) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2)
    town.records = [
        dataclasses.replace(row, **{changed: f"{getattr(row, changed)}x"}) for row in town.records
    ]
    assert line(town).refused["no_record"] == 10


def test_a_record_without_a_report_is_a_failed_test(town: Any) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2)
    town.tests.pop()
    assert line(town).tests == 9
    assert dict(line(town).refused) == {"no_report": 1}


def test_an_id_counts_once_and_for_the_machine_that_the_server_knows(town: Any) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2)
    copies = [
        dataclasses.replace(row, machine="b" * 32, time=row.time - 1, down_mbps=12.9)
        for row in town.tests
    ]
    town.tests += copies
    judged = line(town)
    assert (judged.tests, judged.statistic, dict(judged.refused)) == (10, 12.0, {"used_twice": 10})

"""Which reports are held: their time, invented ones, and lines that the register lacks."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from agent import wire
from agent.wire.topics import presence_topic, report_topic
from collector.ingest import Bounds, Held, Ignored, Noted, Outcome, Stored, decode

SCHOOL, MACHINE, BOOT = "9900000001", "ab" * 16, "0123456789abcdef"
NOW = 1_780_000_000_000
DAY, HOUR = 86_400_000, 3_600_000
LINES = {SCHOOL: frozenset({"主线", "a'b\"c"})}
BOUNDS = Bounds(lambda school: LINES.get(school, frozenset()))


def take(
    time: int = NOW, *readings: wire.Reading, school: str = SCHOOL, bounds: Bounds = BOUNDS,
    now: int = NOW, **more: Any,
) -> Outcome:  # fmt: skip
    report = wire.Report(v=1, time=time, readings=readings or (wire.Host(cpu_percent=1.0),), **more)
    topic = report_topic(school, MACHINE, BOOT, 2)
    return decode(topic, wire.encode(report), lambda code: True, now * 1_000_000, bounds)


def reason(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Held) else ""


@pytest.mark.parametrize(
    ("apart", "held"),
    [
        (0, False),
        (HOUR, False),
        (HOUR + 1, True),
        (-60 * DAY, False),
        (-60 * DAY - 1, True),
        (-59 * DAY, False),  # a PC that was offline for as long as an agent keeps reports
        (-7 * DAY, False),  # what is asked for again after a restore
    ],
)
def test_the_edges_of_time(apart: int, held: bool) -> None:
    outcome = take(NOW + apart)
    assert reason(outcome) == ("time_out_of_bounds" if held else "")
    assert held or isinstance(outcome, Stored)


def test_a_century_of_days_marks_two_months_of_them() -> None:
    start = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
    marked = set()
    for n in range(36_525):
        outcome = take(int((start + dt.timedelta(days=n)).timestamp() * 1000))
        if isinstance(outcome, Stored):
            marked.add(outcome.day)
        else:
            assert reason(outcome) == "time_out_of_bounds"
    assert 60 <= len(marked) <= 61


def test_a_clock_of_ours_that_is_years_off_holds_all_and_loses_none() -> None:
    for years in (-30, -1, 1, 30):
        outcome = take(now=NOW + years * 365 * DAY)
        assert reason(outcome) == "time_out_of_bounds"
    assert isinstance(take(), Stored), "the same bytes, when the clock is right again"


def test_what_a_pc_without_a_battery_says_is_taken_as_uncertain() -> None:
    """It is telemetry, of no day; held it would come again for two months."""
    long_ago = take(1_262_304_000_000, uncertain=True)
    assert isinstance(long_ago, Stored)
    assert long_ago.day is None
    assert reason(take(NOW + 2 * HOUR, uncertain=True)) == "time_out_of_bounds"


def test_simulated_reports_are_for_demonstrations() -> None:
    assert reason(take(simulated=True)) == "simulated"
    demo = Bounds(BOUNDS.lines, simulated=True)
    assert isinstance(take(simulated=True, bounds=demo), Stored)


def test_simulated_presences_too() -> None:
    said = wire.encode(wire.Presence(v=1, boot=BOOT, online=True, simulated=True))
    topic = presence_topic(SCHOOL, MACHINE)
    assert isinstance(decode(topic, said, lambda code: True, 1, BOUNDS), Ignored)
    assert isinstance(decode(topic, said, lambda code: True, 1, Bounds(BOUNDS.lines, True)), Noted)


@pytest.mark.parametrize("line", ["主线", "a'b\"c"])
def test_registered_lines_are_taken_whatever_they_are_called(line: str) -> None:
    assert isinstance(take(NOW, wire.LineTest(test="t", line=line, outcome="ok")), Stored)


@pytest.mark.parametrize("line", ["", "主线 ", "主线\0", "a'b", '"; DROP', "\x1b[2J", "x" * 256])
def test_a_line_that_the_register_lacks_is_held(line: str) -> None:
    test = wire.LineTest(test="t", line=line, outcome="ok")
    outcome = take(NOW, wire.Host(cpu_percent=1.0), test)
    assert reason(outcome) == "unknown_line"
    assert isinstance(outcome, Held)
    assert outcome.detail == line[:60]


def test_a_line_of_another_school_is_none_of_ones_own() -> None:
    test = wire.LineTest(test="t", line="主线", outcome="ok")
    assert reason(take(NOW, test, school="9900000002")) == "unknown_line"


def test_records_of_the_measurement_server_are_in_time_too() -> None:
    record = wire.LineRecord(test="t", school=SCHOOL, machine=MACHINE, line="主线", outcome="ok")
    assert isinstance(take(NOW, record, school=wire.LINESERVER), Stored)
    assert reason(take(0, record, school=wire.LINESERVER)) == "time_out_of_bounds"

"""Store to evidence: only what the figure needs, and all of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from collector.compliance.figure import judge
from collector.compliance.model import Verdict
from collector.config import City
from collector.config import Figure as Settings
from collector.roster.register import COMPUTER_ROOM
from collector.store.base import Point
from collector.store.sqlite import SqliteStore

from .conftest import loaded


def test_rows_come_back_as_they_were(full_town: Any, store: SqliteStore, fill: Any) -> None:
    fill(full_town, store)
    found = loaded(full_town, store)
    wrote = full_town.evidence()
    assert set(found.room_days) == set(wrote.room_days)
    assert set(found.line_tests) == set(wrote.line_tests)
    assert set(found.line_records) == set(wrote.line_records)
    assert found.simulated is False


def test_the_past_is_read_only_where_the_window_leaves_it_open(
    full_town: Any, store: SqliteStore, fill: Any
) -> None:
    for room in ("101", "102", "103"):
        full_town.saw(room, (300,))
    full_town.tested(5.0, (300,))
    full_town.line("2")
    full_town.tested(5.0, (300,), "2")
    fill(full_town, store)
    found = loaded(full_town, store)
    old = full_town.ago(200)
    assert {row.room for row in found.room_days if row.day < old} == {"103"}
    end = int(dt.datetime.combine(old, dt.time(), dt.UTC).timestamp()) * 10**9
    assert {row.line for row in found.line_tests if row.time < end} == {"2"}
    assert {row.line for row in found.line_records if row.time < end} == {"2"}


def test_a_computer_room_s_past_is_read_where_an_inspection_said_no(
    full_town: Any, store: SqliteStore, fill: Any
) -> None:
    full_town.room("机房", code="9901020002", kind=COMPUTER_ROOM, seats=10)
    full_town.saw("机房", (300,), pcs=10, code="9901020002")
    full_town.inspected("computer_room", 400, False, code="9901020002")
    full_town.inspections = [row for row in full_town.inspections if not row.found]
    fill(full_town, store)
    figure = judge(
        full_town.register(),
        loaded(full_town, store),
        Settings(),
        City(),
        year=2026,
        today=full_town.cutoff,
    )
    assert figure.tallies["9901020002", "computer_room"].counts == {Verdict.DECLARED: 1}


def test_nothing_after_the_cutoff(full_town: Any, store: SqliteStore, fill: Any) -> None:
    full_town.saw("101", (-1,))
    full_town.tested(9.0, (-1,))
    fill(full_town, store)
    found = loaded(full_town, store)
    assert max(row.day for row in found.room_days) <= full_town.cutoff
    assert len(found.line_tests) == 12


def test_uncertain_rows_are_no_evidence(full_town: Any, store: SqliteStore, fill: Any) -> None:
    fill(full_town, store)
    test = next(iter(store.read("line_test", 0, 2**62)))
    store.write([Point("line_test", test.tags, {"uncertain": True}, test.time)])
    assert len(loaded(full_town, store).line_tests) == len(full_town.tests) - 1


def test_one_simulated_row_anywhere_is_reported(
    full_town: Any, store: SqliteStore, fill: Any
) -> None:
    fill(full_town, store)
    tags = {"school": "9999999999", "machine": "b" * 32, "line": "9"}
    store.write([Point("line_test", tags, {"test": "x", "simulated": True}, 1)])
    assert loaded(full_town, store).simulated


def test_a_record_on_the_other_side_of_midnight_is_found(
    new_town: Any, store: SqliteStore, fill: Any
) -> None:
    full_town = new_town()
    full_town.school()
    full_town.line()
    full_town.tested(12.0, (0, 1, 2, 3, 4), at=dt.time(23, 59, 50), times=1)
    full_town.tested(12.0, (5, 6, 7, 8, 41), at=dt.time(0, 0, 5), times=1)
    later, earlier = 20 * 10**9, -20 * 10**9
    full_town.records = [
        dataclasses.replace(row, time=row.time + (later if number < 5 else earlier))
        for number, row in enumerate(full_town.records)
    ]
    fill(full_town, store)
    figure = judge(
        full_town.register(),
        loaded(full_town, store),
        Settings(),
        City(),
        year=2026,
        today=full_town.cutoff,
    )
    assert figure.lines[0].verdict is Verdict.VERIFIED


def test_an_earlier_no_is_not_made_of_half_the_rows(
    new_town: Any, store: SqliteStore, fill: Any
) -> None:
    """The day before the cut-off, its window still held a good day that is not in ours."""
    full_town = new_town()
    full_town.school()
    full_town.taught("一班", full_town.room("101", computer=1, projector=1))
    full_town.saw("101", (42, 0), "display")
    full_town.saw("101", (35,))
    fill(full_town, store)
    part = loaded(full_town, store)
    figure = judge(
        full_town.register(), part, Settings(), City(), year=2026, today=full_town.cutoff
    )
    whole = full_town.figure()
    assert [unit.verdict for unit in figure.units] == [unit.verdict for unit in whole.units]
    assert full_town.unit("multimedia").verdict is Verdict.DECLARED
    assert len(part.room_days) == 3


def test_a_burst_that_was_seen_before_the_window_is_known(
    new_town: Any, store: SqliteStore, fill: Any
) -> None:
    """Else short tests would become good by silence, when the long test leaves the window."""
    full_town = new_town()
    full_town.school()
    full_town.line()
    full_town.tested(5.0, (45,), long=True, burst=True)
    full_town.tested(10.0, range(36, 41), times=2)
    fill(full_town, store)
    figure = judge(
        full_town.register(),
        loaded(full_town, store),
        Settings(),
        City(),
        year=2026,
        today=full_town.cutoff,
    )
    assert figure.lines == full_town.figure().lines
    assert figure.lines[0].verdict is Verdict.DECLARED
    assert figure.lines[0].refused == {"burst": 10}

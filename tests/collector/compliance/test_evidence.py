"""Store to evidence: only what the figure needs, and all of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.compliance import evidence
from collector.compliance.figure import judge
from collector.compliance.model import Evidence, Verdict
from collector.config import City
from collector.config import Figure as Settings
from collector.roster.register import COMPUTER_ROOM
from collector.store.base import Point
from collector.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore(tmp_path / "store.db") as opened:
        yield opened


def loaded(full_town: Any, store: Any) -> Evidence:
    return evidence.load(store, full_town.register(), Settings(), full_town.cutoff)


def test_rows_come_back_as_they_were(full_town: Any, store: SqliteStore, fill: Any) -> None:
    fill(full_town, store)
    found = loaded(full_town, store)
    wrote = full_town.evidence()
    assert set(found.room_days) == set(wrote.room_days)
    assert set(found.line_tests) == set(wrote.line_tests)
    assert set(found.line_records) == set(wrote.line_records)
    assert found.simulated is False


def test_the_past_is_read_only_where_the_window_has_no_yes(
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
    assert {row.room for row in found.room_days if row.day < old} == {"102", "103"}
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


class Listed:
    """As much of a store as is read here, without a disk."""

    def __init__(self) -> None:
        self.points: list[Point] = []

    def write(self, points: list[Point]) -> None:
        self.points += points

    def read(
        self, measurement: str, start: int, stop: int, tags: Any = None, fields: Any = None
    ) -> Iterator[Point]:
        for point in sorted(self.points, key=lambda point: point.time):
            fits = all(point.tags.get(tag) in values for tag, values in (tags or {}).items())
            if point.measurement == measurement and start <= point.time < stop and fits:
                yield point

    def simulated(self) -> bool:
        return False


ago = st.integers(0, 20) | st.integers(35, 50) | st.integers(0, 500)


@given(
    st.lists(st.tuples(st.sampled_from("123"), ago, st.booleans()), max_size=25),
    st.lists(st.tuples(ago, st.sampled_from([6.0, 12.0]), st.integers(1, 6)), max_size=5),
    st.lists(st.tuples(ago, st.sampled_from([4, 8])), max_size=5),
    st.lists(st.tuples(st.integers(0, 500), st.booleans()), max_size=2),
)
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_figure_is_that_of_the_whole_store(
    new_town: Any, fill: Any,
    seen: list[tuple[str, int, bool]], tests: list[tuple[int, float, int]],
    pcs: list[tuple[int, int]], visits: list[tuple[int, bool]],
) -> None:  # fmt: skip
    """What `load` leaves out decides nothing."""
    full_town = new_town()
    full_town.school()
    for room in "123":
        full_town.taught(room, full_town.room(room, computer=1, projector=1))
    full_town.taught("走班", "1", "2")
    full_town.room("机房", kind=COMPUTER_ROOM, seats=10)
    full_town.line()
    for room, day, display in dict.fromkeys(seen):
        full_town.saw(room, (day,), *(["display"] if display else []))
    for number, (day, rate, days) in enumerate(tests):
        full_town.tested(rate, range(day, day + days), times=4, at=dt.time(12, 30, number))
    for day, count in dict(pcs).items():
        full_town.saw("机房", (day,), pcs=count)
    for day, found in visits:
        for indicator in ("computer_room", "line"):
            full_town.inspected(indicator, day, found)
        full_town.inspected("multimedia", day, found, "1")
    full_town.room_days = list({(row.room, row.day): row for row in full_town.room_days}.values())
    store = Listed()
    fill(full_town, store)
    part = loaded(full_town, store)
    whole = full_town.figure()
    figure = judge(
        full_town.register(), part, Settings(), City(), year=2026, today=full_town.cutoff
    )
    assert [unit.verdict for unit in figure.units] == [unit.verdict for unit in whole.units]
    assert [line.verdict for line in figure.lines] == [line.verdict for line in whole.lines]

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
from collector.compliance.displays import Display
from collector.compliance.figure import judge
from collector.compliance.model import Evidence, Verdict
from collector.config import City
from collector.config import Figure as Settings
from collector.roster.register import COMPUTER_ROOM
from collector.schema import MEASUREMENTS
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

    def rows(
        self, measurement: str, start: int, stop: int, tags: Any, fields: Any
    ) -> Iterator[tuple[Any, ...]]:
        """As in `Store.rows`."""
        named = MEASUREMENTS[measurement].tags
        for point in self.read(measurement, start, stop, tags):
            found = [point.fields.get(name) for name in fields]
            yield (point.time, *(point.tags.get(tag) for tag in named), *found)

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


_IN_ROOM = st.lists(
    st.builds(
        Display, st.sampled_from(["", *(c * 12 for c in "abc")]),
        st.sampled_from(["projector", "display"]), st.sampled_from([0, 1, 6]),
    ),
    max_size=2, unique_by=lambda one: (one.identity, one.kind),
)  # fmt: skip
_STRETCH = st.tuples(st.integers(0, 5), ago | st.integers(60, 200), st.integers(1, 6), _IN_ROOM)


@given(
    st.lists(_STRETCH, max_size=14),
    st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=1),
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_rooms_that_a_device_was_in_are_found_however_long_ago(
    new_town: Any, fill: Any, stretches: list[Any], visits: list[Any]
) -> None:
    """Two schools of three rooms, whose devices move: what `load` leaves out decides nothing."""
    town = new_town()
    codes = (town.school(), town.school("9901020002"))
    for code in codes:
        for room in "123":
            town.taught(room, town.room(room, code=code, computer=1, projector=1), code=code)
    shown = {
        (place, day + n): displays for place, day, days, displays in stretches for n in range(days)
    }
    for (place, day), displays in shown.items():
        town.saw("123"[place % 3], (day,), displays=displays, code=codes[place // 3])
    for day, found in visits:
        town.inspected("multimedia", day, found, "1")
    store = Listed()
    fill(town, store)
    part = loaded(town, store)
    figure = judge(town.register(), part, Settings(), City(), year=2026, today=town.cutoff)
    whole = town.figure()
    assert [unit.verdict for unit in figure.units] == [unit.verdict for unit in whole.units]


def test_the_past_of_other_schools_is_read_where_a_device_came_from_there(
    new_town: Any, store: SqliteStore, fill: Any
) -> None:
    """201 said no in spring, and had a projector for three days in summer, which was elsewhere for
    four: without those days it would have cleared the no."""
    town = new_town()
    town.school()
    town.school("9901020002")
    town.taught("一班", town.room("201", computer=1, projector=1))
    town.taught("一班", town.room("101", code="9901020002"), code="9901020002")
    carried, own = Display("a" * 12, "projector", 1), Display("b" * 12, "projector", 1)
    town.saw("201", (200, 201, 202), displays=[])
    town.saw("201", (150, 151, 152), displays=[carried])
    town.saw("101", range(154, 158), displays=[carried], code="9901020002")
    town.saw("101", range(1, 30), displays=[own], code="9901020002")
    fill(town, store)
    found = loaded(town, store)
    assert {row.school for row in found.room_days if row.day < town.ago(100)} == set(town.schools)
    figure = judge(town.register(), found, Settings(), City(), year=2026, today=town.cutoff)
    verdicts = [unit.verdict for unit in figure.units if unit.indicator == "multimedia"]
    assert verdicts == [Verdict.CONTRADICTED, Verdict.VERIFIED]

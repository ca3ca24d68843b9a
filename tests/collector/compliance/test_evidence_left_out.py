"""What is not read of the store decides nothing: the figure is that of all of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.compliance.displays import Display
from collector.compliance.figure import judge
from collector.compliance.model import Verdict
from collector.config import City
from collector.config import Figure as Settings
from collector.roster.register import COMPUTER_ROOM
from collector.schema import MEASUREMENTS
from collector.store.base import Point
from collector.store.sqlite import SqliteStore

from .conftest import loaded


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

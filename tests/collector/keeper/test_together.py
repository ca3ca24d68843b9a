"""PCs of a room in one same hour: no ids one after another, no two halves of a day."""

from __future__ import annotations

import datetime as dt
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.common.calendar import CITY_TIME
from collector.keeper.days import machine_days, room_days
from collector.keeper.together import HOURS, Span, hour_bit, together
from collector.roster.register import Register
from collector.store.base import Point

HOUR = 3_600_000
MIDNIGHT = int(dt.datetime(2026, 3, 2, tzinfo=CITY_TIME).timestamp() * 1000)


def derived(raw: list[Point], register: Register, day: dt.date) -> dict[str, Any]:
    """The lab's row from the day's reports."""
    agents = [point for point in raw if point.measurement == "agent"]
    hosts = [point for point in raw if point.measurement == "host"]
    rows = room_days(machine_days(agents, hosts, [], register, day), [], register, day)
    return next(dict(row.fields) for row in rows if row.tags["room"] == "lab")


def lab(make: Any, reports: list[list[str]], **fields: Any) -> list[Point]:
    """A PC per list of the times at which it reported."""
    raw = [make.host(n, times[0], f"lab-{n}") for n, times in enumerate(reports)]
    return raw + [make.agent(n, at, **fields) for n, times in enumerate(reports) for at in times]


@pytest.mark.parametrize(
    ("reports", "most"),
    [
        ([["08:00", "08:45"]] * 8, 8),
        # Eight ids one after another, within an hour and on a day.
        ([[f"08:{5 * n:02}", f"08:{5 * n + 4:02}"] for n in range(8)], 1),
        ([[f"{8 + n:02}:00", f"{8 + n:02}:50"] for n in range(8)], 1),
        # Over and over: at each moment one, although the spans of the day overlap.
        ([[f"{8 + n:02}:00", f"{17 + n // 2:02}:{30 * (n % 2):02}"] for n in range(8)], 2),
        # Four in the morning, four in the afternoon.
        ([["08:00", "08:45"]] * 4 + [["15:00", "15:45"]] * 4, 4),
        ([["08:00"], ["08:00"], ["08:59:59"]], 2),
        ([["08:00", "09:00"], ["09:00", "09:30"]], 2),
        ([["08:00", "08:59:59"], ["09:00", "09:30"]], 1),
        ([["00:00", "00:10"], ["00:05", "23:59:59"]], 2),
    ],
)
def test_in_one_same_hour(
    make: Any, register: Register, day: dt.date, reports: list[list[str]], most: int
) -> None:
    assert derived(lab(make, reports), register, day)["together"] == most


def test_weak_ids_never_count(make: Any, register: Register, day: dt.date) -> None:
    found = derived(lab(make, [["08:00", "08:45"]] * 8, weak_id=True), register, day)
    assert (found["together"], found["weak_pcs"]) == (0, 8)


def test_an_id_that_two_pcs_used_at_once_never_counts(
    make: Any, register: Register, day: dt.date
) -> None:
    raw = lab(make, [["08:00", "08:45"]] * 3)
    rows = machine_days(
        [point for point in raw if point.measurement == "agent"],
        [point for point in raw if point.measurement == "host"],
        [],
        register,
        day,
    )
    rows[0].fields["shared_id"] = True  # type: ignore[index]
    (found,) = room_days(rows, [], register, day)
    assert (found.fields["together"], found.fields["weak_pcs"]) == (2, 1)


def test_a_day_derived_again_from_its_rows_is_the_same(
    make: Any, register: Register, day: dt.date
) -> None:
    """As when the telemetry has been deleted, and one late report comes."""
    raw = lab(make, [["08:00", "08:45"], ["08:30", "12:00"], ["11:50", "16:00"]])
    agents = [point for point in raw if point.measurement == "agent"]
    hosts = [point for point in raw if point.measurement == "host"]
    stored = machine_days(agents, hosts, [], register, day)
    again = machine_days(agents[:1], [], stored, register, day)
    assert [row.fields["hours"] for row in again] == [row.fields["hours"] for row in stored]
    assert room_days(again, [], register, day) == room_days(stored, [], register, day)


def test_a_row_without_hours_counts_in_those_of_its_first_and_last_report(
    register: Register, day: dt.date
) -> None:
    def row(n: int, first: float, last: float) -> Point:
        tags = {"school": next(iter(register.schools)), "room": "lab", "machine": f"{n}"}
        times = {"first_ms": MIDNIGHT + int(first * HOUR), "last_ms": MIDNIGHT + int(last * HOUR)}
        return Point("machine_day", tags, {"seen": True, **times}, MIDNIGHT * 10**6)

    rows = [row(1, 8.1, 12.5), row(2, 8.5, 9.5), row(3, 9.1, 12.1)]
    (found,) = room_days(rows, [], register, day)
    assert found.fields["together"] == 2


def test_the_hours_are_the_city_s() -> None:
    assert hour_bit(MIDNIGHT) == 1
    assert hour_bit(MIDNIGHT - 1) == 1 << 23
    assert hour_bit(MIDNIGHT + 8 * HOUR) == 1 << 8


def spanning(quarters: list[int]) -> Span:
    """The span of reports at these quarters of an hour."""
    return Span(min(quarters), max(quarters), sum({1 << at // 4 for at in quarters}))


spans = st.lists(st.lists(st.integers(0, 95), min_size=1, max_size=3).map(spanning), max_size=8)


@given(spans)
def test_it_is_the_largest_group_that_overlaps_in_pairs_in_an_hour(rows: list[Span]) -> None:
    def fits(group: tuple[Span, ...]) -> bool:
        hours = (1 << HOURS) - 1
        for row in group:
            hours &= row.hours
        pairs = combinations(group, 2)
        return hours > 0 and all(a.first <= b.last and b.first <= a.last for a, b in pairs)

    groups = (group for size in range(len(rows) + 1) for group in combinations(rows, size))
    assert together(rows) == max((len(group) for group in groups if fits(group)), default=0)

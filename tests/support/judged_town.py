"""The small town of the judging's tests, and a city side on disk that holds it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from agent.common.calendar import midnight_ns as midnight
from collector.compliance.model import Evidence, RoomDay
from collector.keeper.days import display_rooms
from collector.store.base import Point
from collector.store.sqlite import SqliteStore
from small_town import Town


@pytest.fixture(scope="session")
def new_town() -> type[Town]:
    """For property tests, which need a new town each time."""
    return Town


@pytest.fixture
def town() -> Any:
    """See `build`."""
    return build(dt.date(2026, 12, 31))


@pytest.fixture
def past_town() -> Any:
    """The same in a year that is over whenever the tests run."""
    return build(dt.date(2025, 12, 31))


def build(cutoff: dt.date) -> Any:
    """Two districts, three schools, every verdict but one; one loopback test a line."""
    made = Town()
    made.cutoff = cutoff
    made.school()
    made.school("9901020002")
    made.school("9901030001", kind="初中", responsible="630103")
    made.school("9901030002", kind="教学点", responsible="630103")
    for name, room in (("一班", "101"), ("二班", "102"), ("三班", "103")):
        made.taught(name, made.room(room, computer=1, projector=1))
    made.taught("四班")
    made.saw("101", (1, 2, 3), "display")
    made.saw("102", (1, 2, 3))
    made.room("机房", kind="计算机教室", seats=40)
    made.saw("机房", (5,), pcs=36)
    made.line()
    made.tested(9.8, (1, 2, 3, 7, 8), times=2)
    made.tested(20.0, (9,), wired=False, interface="lo")
    made.room("201", code="9901020002", computer=1, tv=0)
    made.taught("一班", "201", code="9901020002")
    made.inspected("computer_room", 30, True, code="9901020002")
    made.line(contract=4, code="9901020002")
    made.line(contract=100, code="9901030001")
    made.tested(900.0, (2,), code="9901030001", wired=False, interface="lo")
    return made


def room_point(row: RoomDay, district: str) -> Point:
    """A row as the keeper writes it."""
    tags = {"school": row.school, "district": district, "room": row.room}
    seen = dict.fromkeys(row.seen, True)
    fields = {"pcs": row.pcs, "together": row.together, "simulated": row.simulated, **seen}
    if row.displays is not None:
        fields["display_ids"] = row.displays
    return Point("room_day", tags, fields, midnight(row.day))


def line_points(evidence: Evidence) -> Iterator[Point]:
    """Tests and records as the collector writes them."""
    streams = (("line_test", evidence.line_tests), ("line_record", evidence.line_records))
    for name, rows in streams:
        for row in rows:
            fields = dataclasses.asdict(row)
            tags = {tag: fields.pop(tag) for tag in ("school", "machine", "line")}
            time = fields.pop("time")
            if late := fields.pop("late_days"):
                fields["late_days"] = late
            if fields.pop("lossy", False):
                fields |= {"loss_share": 0.01, "latency_ms": 31.0, "loaded_ms": 32.0}
            known = {key: value for key, value in fields.items() if value not in (None, "")}
            yield Point(name, tags, known, time)


@pytest.fixture
def fill() -> Any:
    """Write a town's evidence into a store."""

    def _fill(town: Any, store: SqliteStore) -> None:
        evidence = town.evidence()
        rooms = [room_point(row, "630102") for row in evidence.room_days]
        store.write(rooms)
        by_day: dict[tuple[str, int], list[Point]] = {}
        for point in rooms:
            by_day.setdefault((point.tags["school"], point.time), []).append(point)
        for (school, _), points in by_day.items():
            store.write(display_rooms(points, [], town.register(), school))
        store.write(list(line_points(evidence)))

    return _fill

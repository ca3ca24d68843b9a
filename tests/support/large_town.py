"""A city as large as wanted, for what must not grow faster than it does."""

from __future__ import annotations

import datetime as dt
from typing import Any

from collector.compliance.model import LineRecord, LineTest, RoomDay

OWNED = {"computer": 1, "projector": 1}
SEEN = frozenset({"computer", "display"})
_NOON = int(dt.datetime(2026, 12, 31, 4, 30, tzinfo=dt.UTC).timestamp()) * 10**9


def large_town(new_town: Any, schools: int) -> Any:
    """`schools` of 20 classes, each with 30 days, and 100 tests a line."""
    town = new_town()
    for number in range(schools):
        code = town.school(f"99{number:08d}", responsible=f"63010{number % 7}")
        town.line(code=code)
        for room in range(20):
            town.taught(f"{room}班", town.room(str(room), code=code, **OWNED), code=code)
    days = [day for day in range(1, 42) if town.ago(day).weekday() < 5]
    town.room_days = [
        RoomDay(row.school, row.rooms[0], town.ago(day), 1, SEEN)
        for day in days
        for row in town.classes
    ]
    for line in town.lines:
        for nth in range(100):
            at, test = _NOON - nth * 9 * 3600 * 10**9, f"{line.school}{nth}"
            fields = (12.0, 9, 9.0, True, True, 0.0, False)
            free: dict[str, Any] = {"pc_limited": False, "nic_mbps": 1000.0}
            town.tests.append(LineTest(line.school, "a", "1", test, at, "ok", *fields, **free))
            kept = (line.school, "a", "1", test, at, "ok", 9, 12.0, True)
            town.records.append(LineRecord(*kept))
    return town

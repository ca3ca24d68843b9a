"""Points of the stores' contract, and a read of all times."""

from __future__ import annotations

from collector.store.base import Point, Store, Value

SCHOOL, OTHER = "9963000001", "9963000002"
PC = "0123456789abcdef" * 2
NOON = 1_780_000_000_000_000_000
ALL = (-(2**63), 2**63 - 1)


def agent(time: int = NOON, school: str = SCHOOL, machine: str = PC, **fields: Value) -> Point:
    required = {"boot": "00ff00ff00ff00ff", "number": 1}
    return Point("agent", {"school": school, "machine": machine}, required | fields, time)


def read(store: Store, measurement: str = "agent", **asked: object) -> list[Point]:
    return list(store.read(measurement, *ALL, **asked))  # type: ignore[arg-type]

"""What holds of decoding whatever comes: points of the schema, and nothing is raised."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from agent import wire
from collector.ingest import Answered, Held, Quarantined, Stored, decode
from collector.schema import MEASUREMENTS
from collector.store.base import Point
from collector.store.check import fault
from ingest_cases import SCHOOL, line_test, report, take
from wire_strategies import messages_of

TYPES = {"int": int, "float": float, "bool": bool, "str": str}


def holds_the_schema(point: Point) -> None:
    known = MEASUREMENTS[point.measurement]
    assert set(point.tags) <= set(known.tags)
    assert not fault(point)
    for name, value in point.fields.items():
        assert type(value) is TYPES[known.fields[name].type], (point.measurement, name, value)
        assert not isinstance(value, int) or -(2**63) <= value < 2**63


@settings(max_examples=150, deadline=None)
@given(message=messages_of(wire.Report), server=st.booleans())
def test_every_report_comes_to_points_of_the_schema(message: wire.Report, server: bool) -> None:
    outcome = take(message, school=wire.LINESERVER if server else SCHOOL)
    if isinstance(outcome, Quarantined):
        assert re.match("unreadable: (a line_|line_.*tag line cannot be)", outcome.reason)
        return
    assert isinstance(outcome, Stored)
    for point in outcome.points:
        holds_the_schema(point)
        assert point.time // 1_000_000 == message.time
    keys = [(p.measurement, frozenset(p.tags.items()), p.time) for p in outcome.points]
    assert len(keys) == len(set(keys)), "a point overwrites another"
    assert [p.measurement for p in outcome.points].count("agent") == 1


@settings(max_examples=300, deadline=None)
@given(
    start=st.integers(0, 400),
    length=st.integers(0, 40),
    junk=st.binary(max_size=40),
    number=st.integers(1, 9),
)
def test_a_damaged_report_is_read_held_or_quarantined_never_raised(
    start: int, length: int, junk: bytes, number: int
) -> None:
    whole = wire.encode(
        report(wire.Host(cpu_percent=3.5), line_test(), wire.AgentHealth(version="1"), sent=5)
    )
    outcome = take(whole[:start] + junk + whole[start + length :], number=number)
    assert isinstance(outcome, Stored | Held | Quarantined | Answered)


@settings(max_examples=200, deadline=None)
@given(topic=st.text(max_size=120), payload=st.binary(max_size=80))
def test_nothing_at_all_is_raised(topic: str, payload: bytes) -> None:
    assert decode(topic, payload, lambda school: True, 0) is not None

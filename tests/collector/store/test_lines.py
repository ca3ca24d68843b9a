"""The quick way to a line: only for what every store can hold, and the same line."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.schema import MEASUREMENTS
from collector.store.check import fault
from collector.store.lines import line, plain_line
from collector.store.seam import Point

AGENT = Point("agent", {"school": "9900000001", "machine": "ab" * 16}, {"number": 2}, 7)
_ODD = st.sampled_from(["", "a b", 'a"b', "a\\", "a\0b", "甲", "\ud800", "a,b", "a=b", "\n", "x"])
_VALUES = {
    "int": st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**63, -(2**63) - 1, 10**400, True]),
    "float": st.floats() | st.integers(),
    "bool": st.booleans() | st.just(1),
    "str": st.text(max_size=9) | _ODD,
}


@st.composite
def points(draw: st.DrawFn) -> Point:
    """Mostly what the schema has, now and then what it has not."""
    known = MEASUREMENTS[draw(st.sampled_from(sorted(MEASUREMENTS)))]
    tags = {name: draw(st.text("0aF", min_size=1, max_size=9) | _ODD) for name in known.tags}
    names = draw(st.lists(st.sampled_from(sorted(known.fields)), unique=True, max_size=6))
    fields = {name: draw(_VALUES[known.fields[name].type]) for name in names}
    if draw(st.integers(0, 9)) == 0:
        (fields if draw(st.booleans()) else tags)["other"] = "1"
    return Point(known.name, tags, fields, draw(st.integers(-(2**63), 2**63) | st.just(7)))


@given(points())
def test_it_is_the_long_ways_line_or_none(point: Point) -> None:
    quick = plain_line(point)
    if quick is not None:
        assert fault(point) == ""
        assert quick == line(point)


def test_an_ordinary_point_takes_it() -> None:
    fields = {"number": 2, "evidence": False, "cpu_s": 1.5, "version": "1.0", "policy_error": ""}
    assert plain_line(AGENT._replace(fields=fields)) == (
        b"agent,machine=" + b"ab" * 16 + b",school=9900000001 "
        b'number=2i,evidence=False,cpu_s=1.5,version="1.0",policy_error="" 7'
    )


@pytest.mark.parametrize(
    "change",
    [
        {"measurement": "nothing"},
        {"fields": {}},
        {"fields": {"number": 2**63}},
        {"fields": {"number": 10**400, "cpu_s": 1.5}},
        {"fields": {"number": 2.0}},
        {"fields": {"cpu_s": math.nan}},
        {"fields": {"cpu_s": math.inf, "uptime_s": -math.inf}},
        {"fields": {"version": 'a"b'}},
        {"fields": {"version": "a\\b"}},
        {"fields": {"version": "a\0b"}},
        {"fields": {"nothing": 1}},
        {"tags": {"school": "", "machine": "a"}},
        {"tags": {"school": 7, "machine": "a"}},
        {"tags": {"school": "a b"}},
        {"tags": {"nothing": "a"}},
        {"time": 2.0},
        {"time": 2**63 - 1},
    ],
)
def test_what_is_not_plain_takes_the_long_way(change: dict[str, Any]) -> None:
    assert plain_line(AGENT._replace(**change)) is None

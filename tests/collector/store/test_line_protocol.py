"""The quick way to a line: only for what every store can hold, and the same line."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.schema import MEASUREMENTS
from collector.store.base import Point
from collector.store.check import fault
from collector.store.line_protocol import line, plain_lines

AGENT = Point("agent", {"school": "9900000001", "machine": "ab" * 16}, {"number": 2}, 7)
_ODD = ["", "a b", 'a"b', "a\\", "a\0b", "甲", "\ud800", "a,b", "a=b", "\n", "é"]
_PLAIN = st.text("09azAZ", min_size=1, max_size=9)
_VALUES: dict[str, tuple[st.SearchStrategy[Any], list[Any]]] = {
    "int": (st.integers(-(2**58), 2**58), [2**63 - 1, -(2**63), 2**63, 10**400, True, 1.0]),
    "float": (st.floats(-1e9, 1e9), [1, math.nan, math.inf, -math.inf, 1e300, True]),
    "bool": (st.booleans(), [1, "true"]),
    "str": (_PLAIN | st.sampled_from(["", "a b", "\n"]), [*_ODD, 1]),
}


@st.composite
def points(draw: st.DrawFn) -> Point:
    """What the schema has, and in every other one thing of it spoilt."""
    known = MEASUREMENTS[draw(st.sampled_from(sorted(MEASUREMENTS)))]
    tags: dict[str, Any] = {name: draw(_PLAIN) for name in known.tags}
    some = st.lists(st.sampled_from(sorted(known.fields)), unique=True, min_size=1, max_size=6)
    fields = {name: draw(_VALUES[known.fields[name].type][0]) for name in draw(some)}
    time = draw(st.integers(-(2**62), 2**62))
    spoilt = draw(st.sampled_from(["", "", "", "tag", "field", "time", "name"]))
    if spoilt == "tag" and tags:
        tags[draw(st.sampled_from(sorted(tags)))] = draw(st.sampled_from([*_ODD, 1]))
    elif spoilt == "field":
        name = draw(st.sampled_from(sorted(fields)))
        fields[name] = draw(st.sampled_from(_VALUES[known.fields[name].type][1]))
    elif spoilt == "time":
        time = draw(st.sampled_from([2**63 - 1, 2**63 - 2, -(2**63), -(2**63) + 2]))
    elif spoilt == "name":
        (fields if draw(st.booleans()) else tags)["other"] = "1"
    return Point(known.name, tags, fields, time)


def plain_line(point: Point) -> bytes | None:
    ((_, found),) = plain_lines([point])
    return found


@settings(max_examples=300)
@given(points())
def test_it_is_the_long_ways_line_or_none(point: Point) -> None:
    quick = plain_line(point)
    if quick is not None:
        assert fault(point) == ""
        assert quick == line(point)


@given(st.lists(points(), max_size=5))
def test_points_that_share_their_tags_give_the_same_lines(some: list[Point]) -> None:
    """And those that do not: each by itself is the other way."""
    shared = [two for one in some for two in (one, one._replace(time=one.time - 1))]
    assert [*plain_lines(iter(shared))] == [(one, plain_line(one)) for one in shared]
    apart = [one._replace(tags=dict(one.tags)) for one in shared]
    assert [*plain_lines(apart)] == [*plain_lines(shared)]


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
        {"fields": {"cpu_s": 1}},
        {"fields": {"cpu_s": math.nan}},
        {"fields": {"cpu_s": math.inf, "uptime_s": -math.inf}},
        {"fields": {"version": 'a"b'}},
        {"fields": {"version": "a\\b"}},
        {"fields": {"version": "a\0b"}},
        {"fields": {"version": "\ud800"}},
        {"fields": {"nothing": 1}},
        {"tags": {"school": "", "machine": "a"}},
        {"tags": {"school": 7, "machine": "a"}},
        {"tags": {"school": "a b"}},
        {"tags": {"school": "é"}},
        {"tags": {"nothing": "a"}},
        {"time": 2.0},
        {"time": 2**63 - 1},
        {"time": -(2**63)},
    ],
)
def test_what_is_not_plain_takes_the_long_way(change: dict[str, Any]) -> None:
    assert plain_line(AGENT._replace(**change)) is None

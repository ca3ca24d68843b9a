"""What a store keeps of each value: numbers, times and texts as they were; others are named."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from collector.store.base import Point, RejectedError, Store, Value
from contract_points import NOON, PC, SCHOOL, agent, read


def test_types_come_back_as_the_schema_has_them(store: Store) -> None:
    fields: Mapping[str, Value] = {
        "boot": "00ff00ff00ff00ff",
        "number": 1,
        "cpu_s": 1,
        "uptime_s": 0.0,
        "weak_id": True,
        "version": "1",
    }
    store.write([agent(**fields)])
    (point,) = read(store)
    kinds = {name: type(value) for name, value in point.fields.items()}
    assert kinds == {
        "number": int,
        "cpu_s": float,
        "uptime_s": float,
        "weak_id": bool,
        "version": str,
        "boot": str,
    }
    assert point.fields == fields


def _refused(store: Store, point: Point, why: str) -> None:
    """What a store says that it cannot hold is refused by name, and the rest stored."""
    with pytest.raises(RejectedError, match=why) as caught:
        store.write([agent(NOON + 1), point])
    assert list(caught.value.points) == [point]
    assert read(store) == [agent(NOON + 1)]


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**53 + 1, 0, -1])
def test_whole_int64(store: Store, number: int) -> None:
    if abs(number) > store.limits.largest:
        _refused(store, agent(number=number), "number")
    else:
        store.write([agent(number=number)])
        assert read(store)[0].fields["number"] == number


@pytest.mark.parametrize("value", [0.1, 1e-300, 1.7976931348623157e308, -0.5, 123456789.12345679])
def test_floats_to_the_last_digit(store: Store, value: float) -> None:
    store.write([agent(cpu_s=value)])
    assert read(store)[0].fields["cpu_s"] == value


@pytest.mark.parametrize("time", [0, 1, -5, 1_780_000_000_123_456_789, 4_102_444_800_000_999_999])
def test_times_to_the_nanosecond(store: Store, time: int) -> None:
    if time < store.limits.first_time:
        _refused(store, agent(time), "1970")
    else:
        store.write([agent(time)])
        assert read(store)[0].time == time


_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40)


_NAME = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), include_characters="\\ ,=\"'"),
    min_size=1,
    max_size=20,
).filter(lambda name: not name.endswith("\\"))


@hypothesis_settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(line=_NAME, text=_TEXT)
def test_any_text_survives(store: Store, line: str, text: str) -> None:
    tags = {"school": SCHOOL, "machine": PC, "line": line}
    point = Point("line_test", tags, {"outcome": "ok", "reason": text}, NOON)
    store.write([point])
    assert list(store.read("line_test", NOON, NOON + 1, tags={"line": line})) == [point]
    assert point in list(store.read("line_test", NOON, NOON + 1, tags={"line": [line, "x"]}))


@pytest.mark.parametrize(
    "text", ["", "\\", '"', 'a"b', "a\nb", "a\r\nb", "a\\", "\\n", "教室 1,甲=乙", "😀"]
)
def test_awkward_text(store: Store, text: str) -> None:
    store.write([agent(version=text)])
    assert read(store)[0].fields["version"] == text


BAD = [
    Point("no_such", {"school": SCHOOL}, {"number": 1}, NOON),
    agent(no_such=1),
    agent(number=1.0),
    agent(number=True),
    agent(number="1"),
    agent(number=2**63),
    agent(weak_id=1),
    agent(version=1),
    agent(cpu_s=True),
    agent(cpu_s=float("nan")),
    agent(cpu_s=float("inf")),
    agent(version="half \ud800"),
    agent(version="a\0b"),
    agent(machine="a\nb"),
    agent(machine="ends in \\"),
    Point("agent", {"school": SCHOOL, "no": "1"}, {"number": 1}, NOON),
    Point("agent", {"school": SCHOOL}, {}, NOON),
    agent(time=2**63),
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_a_point_that_cannot_be_stored_is_named_and_the_rest_stored(
    store: Store, bad: Point
) -> None:
    good = [agent(NOON + n, number=n) for n in range(1, 4)]
    with pytest.raises(RejectedError) as caught:
        store.write([good[0], bad, *good[1:]])
    assert list(caught.value.points) == [bad]
    assert caught.value.reason
    assert read(store) == good


def test_many_bad_points_are_all_named(store: Store) -> None:
    points = [agent(NOON + n, number=n if n % 3 else "no") for n in range(50)]
    with pytest.raises(RejectedError) as caught:
        store.write(points)
    assert list(caught.value.points) == points[::3]
    assert len(read(store)) == 33

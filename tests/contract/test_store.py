"""The `Store` seam's contract: what ingest, keeper and figure rely on, whatever the store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from collector.schema import MEASUREMENTS
from collector.store.base import Point, RejectedError, Store, Value

SCHOOL, OTHER = "9963000001", "9963000002"
PC = "0123456789abcdef" * 2
NOON = 1_780_000_000_000_000_000
ALL = (-(2**63), 2**63 - 1)


def agent(time: int = NOON, school: str = SCHOOL, machine: str = PC, **fields: Value) -> Point:
    required = {"boot": "00ff00ff00ff00ff", "number": 1}
    return Point("agent", {"school": school, "machine": machine}, required | fields, time)


def read(store: Store, measurement: str = "agent", **asked: object) -> list[Point]:
    return list(store.read(measurement, *ALL, **asked))  # type: ignore[arg-type]


def test_gives_back_what_was_written(store: Store) -> None:
    point = agent(boot="00ff00ff00ff00ff", number=7, cpu_s=1.5, weak_id=True, evidence=False)
    store.write([point])
    assert read(store) == [point]


def test_an_empty_write_and_an_empty_store(store: Store) -> None:
    store.write([])
    assert read(store) == []
    assert not store.simulated()


def test_a_resend_changes_nothing(store: Store) -> None:
    points = [agent(NOON + n, number=n) for n in range(5)]
    store.write(points)
    store.write(points[2:])
    assert read(store) == points


def test_the_same_key_merges_and_the_later_value_wins(store: Store) -> None:
    store.write([agent(number=1, version="1", weak_id=False)])
    store.write([agent(number=2, room="6-1")])
    merged = {"number": 2, "version": "1", "weak_id": False, "room": "6-1"}
    assert read(store) == [agent(**merged)]


def test_the_later_value_wins_within_one_batch(store: Store) -> None:
    store.write([agent(number=1, version="1"), agent(number=2), agent(number=3, room="a")])
    assert read(store) == [agent(number=3, version="1", room="a")]


def test_other_tags_at_the_same_time_are_another_point(store: Store) -> None:
    points = [agent(machine=f"{n:032x}", number=n) for n in range(3)]
    store.write(points)
    assert sorted(read(store), key=lambda point: point.tags["machine"]) == points


def test_a_row_that_is_not_whole_yet_is_not_there(store: Store) -> None:
    """While InfluxDB takes a point in, a read may see some of its fields and not the others."""
    tags = {"school": SCHOOL, "machine": PC}
    for seen in ({"number": 1}, {"boot": "00ff00ff00ff00ff"}, {"uncertain": True}):
        store.write([Point("agent", tags, {"version": "1", **seen}, NOON)])
        asked = [None, ["version"], ["version", "number", "boot", "uncertain"]]
        found = [read(store, fields=fields) for fields in asked]
        if "boot" not in seen and "uncertain" not in seen:
            assert found == [[], [], []]
    assert [point.fields for point in read(store, fields=["version"])] == [{"version": "1"}]


def test_oldest_first_whatever_the_order_of_writing(store: Store) -> None:
    times = [NOON + n * 3_600_000_000_001 for n in (5, 1, 4, 0, 3, 2)]
    for time in times:
        store.write([agent(time, machine=f"{time % 7:032x}")])
    assert [point.time for point in read(store)] == sorted(times)


def test_start_is_in_and_stop_is_out(store: Store) -> None:
    store.write([agent(NOON + n, number=n) for n in range(4)])
    found = store.read("agent", NOON + 1, NOON + 3)
    assert [point.fields["number"] for point in found] == [1, 2]
    assert list(store.read("agent", NOON + 3, NOON + 1)) == []


def test_tags_choose_by_one_value_or_several(store: Store) -> None:
    schools = [SCHOOL, OTHER, "9963000003"]
    store.write([agent(NOON + n, school=school) for n, school in enumerate(schools)])
    assert [p.tags["school"] for p in read(store, tags={"school": OTHER})] == [OTHER]
    assert [p.tags["school"] for p in read(store, tags={"school": iter(schools[1:])})] == schools[
        1:
    ]
    assert read(store, tags={"school": OTHER, "machine": "f" * 32}) == []
    assert read(store, tags={"school": []}) == []


def test_many_values_of_a_tag(store: Store) -> None:
    store.write([agent(NOON + n, machine=f"{n:032x}") for n in range(1000)])
    wanted = [f"{n:032x}" for n in range(0, 3000, 3)]
    assert len(read(store, tags={"machine": wanted})) == 334


def test_an_empty_tag_is_absent_and_can_be_asked_for(store: Store) -> None:
    def day(room: str) -> Point:
        tags = {"school": SCHOOL, "district": "630102", "room": room, "machine": PC}
        return Point("machine_day", tags, {"seen": True}, NOON)

    store.write([day(""), day("6-1")])
    bare = Point("machine_day", {k: v for k, v in day("").tags.items() if v}, {"seen": True}, NOON)
    assert read(store, "machine_day", tags={"room": ""}) == [bare]
    assert read(store, "machine_day", tags={"room": "6-1"}) == [day("6-1")]
    assert len(read(store, "machine_day", tags={"room": ["", "6-1"]})) == 2


def test_only_the_fields_asked_for(store: Store) -> None:
    store.write([agent(NOON, room="a", rss_bytes=1), agent(NOON + 1, version="2")])
    for asked, fields in (
        (["room"], [{"room": "a"}]),
        (["room", "version"], [{"room": "a"}, {"version": "2"}]),
        (["number", "room"], [{"number": 1, "room": "a"}, {"number": 1}]),
        (["cpu_s"], []),
    ):
        assert [point.fields for point in read(store, fields=asked)] == fields


@pytest.mark.parametrize(
    ("tags", "fields"),
    [
        (None, ["room", "version", "rss_bytes"]),
        ({"machine": [PC, "ff" * 16]}, ["version", "cpu_s", "weak_id"]),
        ({"school": "no"}, ["version"]),
        (None, ["cpu_s"]),
        (None, []),
    ],
)
def test_rows_are_the_points_that_read_gives(
    store: Store, tags: dict[str, list[str]] | None, fields: list[str]
) -> None:
    store.write([
        agent(NOON + 1, room="a", rss_bytes=1),
        agent(NOON, version="2", cpu_s=3.0, weak_id=True),
        agent(NOON + 2, machine="ee" * 16, version="3", weak_id=False),
        Point("agent", {"school": SCHOOL, "machine": PC}, {"version": "half"}, NOON + 3),
    ])  # fmt: skip
    names = MEASUREMENTS["agent"].tags
    points = [
        (point.time, *(point.tags.get(tag) for tag in names), *map(point.fields.get, fields))
        for point in read(store, tags=tags, fields=fields)
    ]
    found = store.rows("agent", *ALL, tags, fields)
    width = 1 + len(names)
    plain = [(row[0], *(tag or None for tag in row[1:width]), *row[width:]) for row in found]
    assert plain == points


@pytest.mark.parametrize("asked", [{"fields": ["no"]}, {"tags": {"no": "1"}, "fields": ["room"]}])
def test_asking_rows_for_what_the_schema_lacks_is_an_error(
    store: Store, asked: dict[str, Any]
) -> None:
    with pytest.raises(KeyError):
        list(store.rows("agent", *ALL, asked.get("tags"), asked["fields"]))


@pytest.mark.parametrize("asked", [{"tags": {"no": "1"}}, {"fields": ["no"]}])
def test_asking_for_what_the_schema_lacks_is_an_error(
    store: Store, asked: dict[str, object]
) -> None:
    with pytest.raises(KeyError):
        read(store, **asked)
    with pytest.raises(KeyError):
        list(store.read("no", 0, 1))


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


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 2**53 + 1, 0, -1])
def test_whole_int64(store: Store, number: int) -> None:
    store.write([agent(number=number)])
    assert read(store)[0].fields["number"] == number


@pytest.mark.parametrize("value", [0.1, 1e-300, 1.7976931348623157e308, -0.5, 123456789.12345679])
def test_floats_to_the_last_digit(store: Store, value: float) -> None:
    store.write([agent(cpu_s=value)])
    assert read(store)[0].fields["cpu_s"] == value


@pytest.mark.parametrize("time", [0, 1, -5, 1_780_000_000_123_456_789, 4_102_444_800_000_999_999])
def test_times_to_the_nanosecond(store: Store, time: int) -> None:
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


def test_both_retention_classes_in_one_batch(store: Store) -> None:
    test = Point(
        "line_test", {"school": SCHOOL, "machine": PC, "line": "主线"}, {"outcome": "ok"}, NOON
    )
    store.write([agent(), test])
    assert read(store) == [agent()]
    assert read(store, "line_test") == [test]


def test_every_measurement_and_field_of_the_schema(store: Store) -> None:
    values: dict[str, Value] = {"int": 3, "float": 2.5, "bool": True, "str": "字"}
    points = [
        Point(
            name,
            dict.fromkeys(m.tags, "1"),
            {f.name: values[f.type] for f in m.fields.values()},
            NOON,
        )
        for name, m in MEASUREMENTS.items()
    ]
    store.write(points)
    assert [read(store, name) for name in MEASUREMENTS] == [[point] for point in points]


def test_one_invented_report_is_known(store: Store) -> None:
    store.write([agent(), agent(NOON + 1, simulated=False)])
    assert not store.simulated()
    store.write([agent(NOON + 2, simulated=True)])
    assert store.simulated()


def test_one_invented_row_of_evidence_is_known(store: Store) -> None:
    tags = {"school": SCHOOL, "district": "d", "room": "r"}
    store.write([Point("room_day", tags, {"pcs": 1, "simulated": False}, NOON)])
    assert not store.simulated()
    store.write([Point("room_day", tags, {"pcs": 1, "simulated": True}, NOON + 1)])
    assert store.simulated()


def test_where_the_invented_rows_are(store: Store) -> None:
    marked = {"simulated": True}
    store.write([agent(NOON + n, **marked) for n in (5, 1, 3)])
    store.write([agent(NOON + 9), agent(NOON, OTHER, simulated=False), agent(NOON + 2, OTHER)])
    store.write([agent(NOON + 4, OTHER, **marked)])
    area = {"area": "630100", "district": "630102", "indicator": "line_10"}
    store.write([Point("indicator", area, {"level": "city", "simulated": True}, NOON)])
    assert [tuple(found) for found in store.simulated_rows()] == [
        ("agent", SCHOOL, 3, NOON + 1, NOON + 5),
        ("agent", OTHER, 1, NOON + 4, NOON + 4),
        ("indicator", "630100", 1, NOON, NOON),
    ]


def test_deletes_by_time_and_tags_and_nothing_else(store: Store) -> None:
    points = [agent(NOON + n, school=s, number=n) for n in range(5) for s in (SCHOOL, OTHER)]
    store.write(points)
    store.delete("agent", NOON + 1, NOON + 3, {"school": SCHOOL})
    left = [p for p in points if p.tags["school"] == OTHER or p.time not in (NOON + 1, NOON + 2)]
    assert read(store) == left
    store.delete("agent", NOON + 1, NOON + 3, {"school": SCHOOL})  # again: nothing is there
    store.delete("agent", NOON + 3, NOON + 3, {"school": SCHOOL})
    store.delete("host", *ALL, {"school": SCHOOL})
    assert read(store) == left
    store.delete("agent", *ALL, {"school": SCHOOL, "machine": PC})
    assert read(store) == [p for p in points if p.tags["school"] == OTHER]
    store.write(points)
    assert read(store) == points, "what was deleted can be stored again"


def test_deletes_many(store: Store) -> None:
    points = [agent(NOON + n // 3, machine=f"{n:032x}") for n in range(12_001)]
    store.write(points)
    store.delete("agent", NOON, NOON + 4000, {"school": SCHOOL})
    assert read(store) == points[12_000:]


@pytest.mark.parametrize("line", ["主线", "a'b", 'x"y', "p=q, r", "a\\b"])
def test_deletes_by_any_name(store: Store, line: str) -> None:
    def test(name: str) -> Point:
        tags = {"school": SCHOOL, "machine": PC, "line": name}
        return Point("line_test", tags, {"outcome": "ok"}, NOON)

    store.write([test(line), test("其他")])
    store.delete("line_test", *ALL, {"school": SCHOOL, "line": line})
    assert read(store, "line_test") == [test("其他")]


def test_deletes_a_row_without_a_tag_and_leaves_the_one_with_it(store: Store) -> None:
    def day(room: str, machine: str) -> Point:
        tags = {"school": SCHOOL, "district": "630102", "machine": machine}
        return Point("machine_day", tags | ({"room": room} if room else {}), {"seen": True}, NOON)

    bare, other, roomed = day("", PC), day("", "c" * 32), day("6-1", "d" * 32)
    store.write([bare, other, roomed])
    store.delete("machine_day", NOON, NOON + 1, {**bare.tags, "room": ""})
    assert read(store, "machine_day") == sorted([other, roomed], key=lambda p: p.tags["machine"])


def test_deleting_by_what_the_schema_lacks(store: Store) -> None:
    with pytest.raises(KeyError):
        store.delete("agent", *ALL, {"color": "red"})
    with pytest.raises(KeyError):
        store.delete("nothing", *ALL, {})


def test_another_handle_sees_what_was_written(store: Store, reopen: Callable[[], Store]) -> None:
    store.write([agent()])
    other = reopen()
    assert read(other) == [agent()]
    other.write([agent(NOON + 1)])
    assert len(read(store)) == 2


def test_several_threads_write_and_read(store: Store) -> None:
    failed: list[BaseException] = []

    def work(n: int) -> None:
        try:
            for step in range(10):
                time = NOON + n * 1000 + step
                store.write([agent(time, machine=f"{n:032x}", number=step)])
                assert len(read(store, tags={"machine": f"{n:032x}"})) == step + 1
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(read(store)) == 40


def test_writing_while_a_read_is_half_done(store: Store) -> None:
    store.write([agent(NOON + n, number=n) for n in range(2000)])
    rows = store.read("agent", *ALL)
    first = next(rows)
    store.write([agent(NOON - 1, number=-1)])
    assert first.fields["number"] == 0
    assert sum(1 for _ in rows) >= 1999


def test_a_large_batch(store: Store) -> None:
    points = [
        agent(NOON + n, machine=f"{n % 97:032x}", number=n, version="x" * 60) for n in range(12_000)
    ]
    store.write(points)
    assert read(store) == points

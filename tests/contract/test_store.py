"""The `Store` seam's contract: what ingest, keeper and figure rely on, whatever the store."""

from __future__ import annotations

from typing import Any

import pytest

from collector.schema import MEASUREMENTS
from collector.store.base import Point, Store, Value
from contract_points import ALL, NOON, OTHER, PC, SCHOOL, agent, read


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

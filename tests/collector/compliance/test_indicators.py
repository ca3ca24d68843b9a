"""The figure as points: by the schema, shown values, counts beside."""

from __future__ import annotations

import datetime as dt
from typing import Any

from agent.common.calendar import midnight_ns as midnight
from collector.compliance.indicators import points
from collector.schema import MEASUREMENTS
from collector.store.base import Point

TYPES = {"int": int, "float": float, "bool": bool, "str": str}


def by_name(town: Any, name: str) -> list[Point]:
    figure = town.figure()
    return [point for point in points(figure, figure.cutoff) if point.measurement == name]


def a_town(town: Any) -> Any:
    town.taught("一班", town.room("101", computer=1, projector=1))
    town.taught("二班", town.room("102", computer=1, projector=1))
    town.taught("三班")
    town.saw("101", (1, 2, 3), "display", simulated=True)
    town.line()
    town.tested(9.8, (1, 2, 3, 7, 8), times=2)
    town.tested(7.0, (1, 2), at=dt.time(9, 0))
    town.school("9901030001", responsible="630103")
    town.line("2", contract=None, code="9901030001")
    return town


def test_points_keep_to_the_schema(town: Any) -> None:
    figure = a_town(town).figure()
    found = points(figure, figure.cutoff)
    assert {point.measurement for point in found} == {"indicator", "school_day", "line_day"}
    for point in found:
        schema = MEASUREMENTS[point.measurement]
        assert set(point.tags) <= set(schema.tags)
        assert all(point.tags.values())
        for field, value in point.fields.items():
            assert type(value) is TYPES[schema.fields[field].type], (point.measurement, field)
        assert point.time == midnight(figure.cutoff)


def test_no_two_points_are_one(town: Any) -> None:
    figure = a_town(town).figure()
    found = points(figure, figure.cutoff)
    keys = {(p.measurement, tuple(sorted(p.tags.items())), p.time) for p in found}
    assert len(keys) == len(found)


def test_indicator(town: Any) -> None:
    found = {
        (point.tags["area"], point.tags["indicator"]): point
        for point in by_name(a_town(town), "indicator")
    }
    city = found["630100", "multimedia"]
    assert "district" not in city.tags
    assert city.fields == {
        "level": "city",
        "name": "西宁市",
        "code": "630100",
        "label": "西宁市 · 630100",
        "all": 3,
        "verified": 1,
        "inspected": 0,
        "declared": 1,
        "contradicted": 0,
        "short": 0,
        "unknown": 1,
        "verified_share": 33.3,
        "reported_share": 66.7,
        "ceiling_share": 100.0,
        "unknown_share": 33.3,
        "target": 100.0,
        "simulated": True,
    }
    assert found["9901020001", "multimedia"].tags["district"] == "630102"
    assert found["630103", "line"].fields["simulated"] is False


def test_no_units_no_share(town: Any) -> None:
    found = [
        point
        for point in by_name(town, "indicator")
        if point.tags == {"area": "630102", "district": "630102", "indicator": "multimedia"}
    ]
    assert len(found) == 1
    assert found[0].fields["all"] == 0
    assert not [name for name in found[0].fields if name.endswith("_share")]


def test_school_day(town: Any) -> None:
    first, second = by_name(a_town(town), "school_day")
    assert first.fields == {
        "name": "示例0001",
        "district_name": "城东区",
        "open": True,
        "classes": 3,
        "classes_verified": 1,
        "computer_room": "short",
        "line": "verified",
        "multimedia": "unknown",
        "simulated": True,
    }
    assert "multimedia" not in second.fields


def test_line_day_is_of_the_quiet_tests_whatever_decided(town: Any) -> None:
    town.line()
    town.tested(12.0, (1, 2), times=2)
    town.tested(30.0, (3, 7, 8), times=4, at=dt.time(9, 0))
    (point,) = by_name(town, "line_day")
    assert point.fields["verdict"] == "verified"
    assert (point.fields["p90_mbps"], point.fields["median_mbps"]) == (12.0, 12.0)
    fcc = town.figure(rule="fcc80")
    assert points(fcc, fcc.cutoff)[-1].fields["p90_mbps"] == 12.0


def test_line_day(town: Any) -> None:
    first, second = by_name(a_town(town), "line_day")
    assert first.tags == {"school": "9901020001", "district": "630102", "line": "1"}
    assert first.fields == {
        "contract_mbps": 20.0,
        "p90_mbps": 9.8,
        "median_mbps": 9.8,
        "lesson_mbps": 7.0,
        "tests": 10,
        "days": 5,
        "verdict": "verified",
        "congested": False,
        "simulated": False,
    }
    assert second.fields == {
        "tests": 0,
        "days": 0,
        "verdict": "unknown",
        "congested": False,
        "simulated": False,
    }

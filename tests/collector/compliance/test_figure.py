"""Areas, who counts, and what stands beside."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
from fractions import Fraction
from types import FrameType
from typing import Any

import pytest

from collector.compliance.figure import judge
from collector.compliance.model import Evidence, Tally, Verdict
from collector.config import City
from collector.config import Figure as Settings
from large_town import OWNED, large_town


def test_areas_are_city_districts_schools(town: Any) -> None:
    town.school("9901030001", responsible="630103")
    areas = town.figure().areas
    assert [(area.level, area.code, area.name, area.district) for area in areas] == [
        ("city", "630100", "西宁市", ""),
        ("district", "630102", "城东区", "630102"),
        ("district", "630103", "城中区", "630103"),
        ("school", "9901020001", "示例0001", "630102"),
        ("school", "9901030001", "示例0001", "630103"),
    ]


def test_the_responsible_unit_is_apart_from_the_place(town: Any) -> None:
    town.school("9901030001", district="630103", responsible="市直属")
    figure = town.figure()
    assert figure.tallies["市直属", "line"].all == 1
    assert ("630103", "line") not in figure.tallies


def test_schools_of_the_city_itself_are_no_second_city(town: Any) -> None:
    town.school("9901030001", responsible="630100")
    figure = town.figure()
    assert figure.tallies["630100", "line"].all == 2
    assert figure.tallies["direct", "line"].all == 1
    assert [area.name for area in figure.areas if area.code == "direct"] == ["市直属"]


@pytest.mark.parametrize("kind", ["小学", "初中", "九年一贯制", "完全中学", "高中"])
def test_types_that_count(new_town: Any, kind: str) -> None:
    town = new_town()
    town.school(kind=kind)
    assert town.figure().tallies["630100", "computer_room"].all == 1


def test_types_apart_are_listed_and_not_counted(town: Any) -> None:
    town.school("9901020002", kind="教学点")
    town.taught("一班", code="9901020002")
    town.school("9901020003", kind="幼儿园")
    figure = town.figure()
    assert dict(figure.apart) == {"教学点": 1, "幼儿园": 1}
    assert figure.tallies["630100", "computer_room"].all == 1
    assert figure.tallies["630100", "multimedia"].all == 0


def test_which_types_count_is_a_setting(town: Any) -> None:
    town.school("9901020002", kind="教学点")
    figure = town.figure(types=("教学点",))
    assert figure.tallies["630100", "computer_room"].all == 1
    assert dict(figure.apart) == {"小学": 1}


@pytest.mark.parametrize(
    ("opened", "closed", "counts"),
    [
        (None, 0, True),  # its last day
        (None, 1, False),
        (0, None, True),
        (-1, None, False),
    ],
)
def test_a_school_counts_while_it_is_open(
    new_town: Any, opened: int | None, closed: int | None, counts: bool
) -> None:
    town = new_town()
    town.school(
        opened=None if opened is None else town.ago(opened),
        closed=None if closed is None else town.ago(closed),
    )
    assert town.figure().tallies["630100", "line"].all == counts


@pytest.mark.parametrize(
    ("start", "end", "counts"),
    [(0, None, True), (-1, None, False), (None, 0, True), (None, 1, False)],
)
def test_a_class_counts_while_it_is_taught(
    town: Any, start: int | None, end: int | None, counts: bool
) -> None:
    town.taught(
        "一班",
        start=None if start is None else town.ago(start),
        end=None if end is None else town.ago(end),
    )
    assert town.figure().tallies["630100", "multimedia"].all == counts


def test_a_district_without_units_has_no_figure(town: Any) -> None:
    town.school("9901030001", kind="幼儿园", responsible="630103")
    tally = town.figure().tallies["630103", "multimedia"]
    assert (tally.all, tally.verified) == (0, None)


def test_evidence_of_unregistered_schools_and_rooms_counts_nowhere(town: Any) -> None:
    town.taught("一班", town.room("101", **OWNED))
    town.saw("101", (1, 2, 3), "display", code="9999999999")
    town.saw("102", (1, 2, 3), "display")
    assert town.unit("multimedia").verdict is Verdict.DECLARED


def test_a_row_is_invented_and_so_is_what_it_decides(town: Any) -> None:
    town.taught("一班", town.room("101", **OWNED))
    town.taught("二班", town.room("102", **OWNED))
    assert not town.figure().simulated
    town.saw("101", (1, 2, 3), "display", simulated=True)
    figure = town.figure()
    assert figure.simulated
    assert {unit.name: unit.simulated for unit in figure.units} == {
        "一班": True,
        "二班": False,
        "示例0001": False,
    }


def test_a_store_that_holds_an_invented_row_elsewhere(town: Any) -> None:
    evidence = dataclasses.replace(town.evidence(), simulated=True)
    figure = judge(
        town.register(), evidence, Settings(), City(), year=2026, today=dt.date(2026, 12, 31)
    )
    assert figure.simulated


def test_a_year_to_come_has_no_figure(town: Any) -> None:
    with pytest.raises(ValueError, match="2027"):
        judge(town.register(), Evidence(), Settings(), City(), year=2027, today=town.cutoff)


def test_shares_are_exact() -> None:
    from collections import Counter

    tally = Tally(Counter({Verdict.VERIFIED: 1, Verdict.UNKNOWN: 2}))
    assert (tally.verified, tally.reported, tally.ceiling, tally.unknown) == (
        Fraction(1, 3),
        Fraction(1, 3),
        Fraction(1),
        Fraction(2, 3),
    )


def _steps(new_town: Any, schools: int) -> int:
    """How many steps of the interpreter it takes to judge a city; all of it is verified."""
    town = large_town(new_town, schools)
    register, evidence, taken = town.register(), town.evidence(), 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal taken
        frame.f_trace_opcodes = True
        taken += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        figure = judge(register, evidence, Settings(), City(), year=2026, today=town.cutoff)
    finally:
        sys.settrace(before)
    for indicator in ("multimedia", "line"):
        assert figure.tallies["630100", indicator].verified == 1
    return taken


def test_a_city_twice_as_large_takes_twice_the_steps(new_town: Any) -> None:
    """600 schools are judged in seconds (`make bench-figure`) as long as this holds."""
    small, large = (_steps(new_town, schools) for schools in (8, 16))
    assert large < 2.1 * small

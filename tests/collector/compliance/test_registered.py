"""What the register alone decides: packages of teaching points, spaces of teachers."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.compliance.figure import judge
from collector.compliance.model import Evidence, Figure, Verdict
from collector.compliance.targets import passed, target
from collector.config import City
from collector.config import Figure as Settings
from collector.indicator_settings import Indicator, joined
from collector.report.actions import plan
from collector.roster.register import Register, School

D, S, U = Verdict.DECLARED, Verdict.SHORT, Verdict.UNKNOWN
POINT, PRIMARY = "教学点", "小学"
BOTH = joined({name: Indicator() for name in ("resource_package", "teacher_space")})


def school(code: int, kind: str = PRIMARY, **row: object) -> School:
    number = f"99630200{code:02}"
    return School(number, f"学校 {code}", "630102", kind, "630102", **row)  # type: ignore[arg-type]


def figure(*schools: School) -> Figure:
    register = Register({row.code: row for row in schools}, areas={"630102": "城东区"})
    settings = Settings(indicators=BOTH)
    today = dt.date(2021, 1, 5)
    return judge(register, Evidence(), settings, City(), year=2020, today=today)


def verdicts(found: Figure, indicator: str, area: str = "630100") -> Counter[Verdict]:
    return found.tallies[area, indicator].counts


@pytest.mark.parametrize(("says", "verdict"), [(True, D), (False, S), (None, U)])
def test_a_teaching_point_is_as_its_column_says(says: bool | None, verdict: Verdict) -> None:
    found = figure(school(1, POINT, resource_package=says))
    assert verdicts(found, "resource_package") == {verdict: 1}


def test_only_teaching_points_of_that_day_are_counted_and_only_for_that_indicator() -> None:
    found = figure(
        school(1, PRIMARY, resource_package=True),
        school(2, POINT, resource_package=True),
        school(3, POINT, resource_package=True, closed=dt.date(2020, 6, 30)),
        school(4, POINT, resource_package=False, opened=dt.date(2021, 1, 1)),
    )
    assert verdicts(found, "resource_package") == {D: 1}
    assert verdicts(found, "computer_room").total() == 1, "a teaching point has no such duty"


@pytest.mark.parametrize(
    ("teachers", "spaces", "counts"),
    [
        (40, 34, {D: 34, S: 6}),
        (40, 40, {D: 40}),
        (40, 0, {S: 40}),
        (40, None, {U: 40}),
        (40, 50, {D: 40}),
        (None, 3, {}),
        (None, None, {}),
        (0, 0, {}),
    ],
)
def test_each_teacher_is_a_unit(
    teachers: int | None, spaces: int | None, counts: dict[Verdict, int]
) -> None:
    found = figure(school(1, teachers=teachers, teacher_spaces=spaces))
    assert verdicts(found, "teacher_space") == counts


def test_declared_is_the_best_so_the_target_is_not_met_by_the_register_alone() -> None:
    found = figure(school(1, teachers=20, teacher_spaces=20))
    tally = found.tallies["630100", "teacher_space"]
    row = target(found, "teacher_space")
    assert (tally.verified, tally.reported) == (0, 1)
    assert passed(tally.verified, row, 2020) is False


def test_what_is_to_do_counts_teachers_not_rows() -> None:
    found = plan(figure(school(1, teachers=40, teacher_spaces=34), school(2, POINT)))
    counts = {(row.indicator, row.reason): row.count for row in found.actions}
    assert counts["teacher_space", "lacking"] == 6
    assert counts["teacher_space", "register_only"] == 34
    assert counts["resource_package", "unregistered"] == 1
    city = next(gap for gap in found.gaps if gap.indicator == "teacher_space")
    assert city.open == 40
    assert city.needed == 34


@given(st.lists(st.tuples(st.integers(0, 300), st.none() | st.integers(0, 300)), max_size=12))
def test_the_city_is_the_sum_of_its_teachers(rows: list[tuple[int, int | None]]) -> None:
    schools = [school(at, teachers=n, teacher_spaces=m) for at, (n, m) in enumerate(rows)]
    found = figure(*schools)
    assert verdicts(found, "teacher_space").total() == sum(teachers for teachers, _ in rows)
    by_school = sum(
        (verdicts(found, "teacher_space", row.code) for row in schools), Counter[Verdict]()
    )
    assert by_school == verdicts(found, "teacher_space")

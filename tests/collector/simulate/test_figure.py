"""The figure over a simulated city equals the city's truth: counts, in every area."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from collector import config
from collector.compliance import evidence
from collector.compliance.figure import Judge
from collector.compliance.model import Figure
from collector.simulate import evidence as invented
from collector.simulate import truth
from collector.simulate.build import build
from collector.simulate.cases import CLASSES, LINES, PC_ROOMS
from collector.simulate.city import DISTRICTS, City, Size
from collector.store.sqlite import SqliteStore

CITY = config.City()
SETTINGS = config.Figure()
#: Seeds and cut-offs: mid-term, the year's end, the first days after each long holiday.
CITIES = [
    (1, dt.date(2026, 11, 24), 40),
    (2, dt.date(2025, 12, 31), 44),
    (3, dt.date(2026, 3, 5), 40),
    (4, dt.date(2026, 8, 28), 40),
    *((seed, dt.date(2025, 12, 31), 15) for seed in range(5, 11)),
]
#: What the figure is made of: three quarters of a city's points are the days of single machines
#: and devices, and come into it by their rooms' days alone.
JUDGED = ("room_day", "line_test", "line_record")


def _figure(city: City, folder: Path) -> Figure:
    with SqliteStore(folder / "city.db", 90) as store:
        for _, points in invented.days(city):
            store.write([point for point in points if point.measurement in JUDGED])
        register = city.register()
        judging = Judge(register, SETTINGS, CITY, year=city.cutoff.year, today=city.cutoff)
        for school, found in evidence.by_school(store, register, SETTINGS, city.cutoff):
            judging.add(school, found)
        return judging.figure(simulated=store.simulated())


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "cutoff", "schools"), CITIES)
def test_figure_equals_the_truth(seed: int, cutoff: dt.date, schools: int, tmp_path: Path) -> None:
    size = Size(schools, seed, cutoff.year, every_case=True)
    city = build(size, cutoff, cutoff - dt.timedelta(days=1), days=0)
    figure = _figure(city, tmp_path)

    judged = {(unit.indicator, unit.school, unit.name): unit for unit in figure.units}
    wrong = {
        (row.indicator, row.case, row.verdict.value): judged[
            row.indicator, row.school, row.name
        ].verdict.value
        for row in city.expected
        if judged[row.indicator, row.school, row.name].verdict != row.verdict
    }
    assert wrong == {}
    assert len(judged) == len(city.expected)

    expected = truth.counts(city, CITY.code)
    areas = [CITY.code, *DISTRICTS, *(row.school for row in city.expected)]
    for area in areas:
        for indicator in figure.indicators:
            found = figure.tallies[area, indicator].counts
            assert +Counter(found) == expected.get((area, indicator), Counter()), (area, indicator)
    assert figure.simulated


def test_every_case_is_tried() -> None:
    size = Size(CITIES[0][2], CITIES[0][0], 2026, every_case=True)
    city = build(size, CITIES[0][1], CITIES[0][1], days=0)
    tried = {(row.indicator, row.case) for row in city.expected}
    tables = (("line", LINES), ("computer_room", PC_ROOMS), ("multimedia", CLASSES))
    assert {(name, case.name) for name, table in tables for case in table} <= tried


def test_the_silent_school_of_another_type_and_the_closed_one_are_not_counted() -> None:
    city = build(Size(14, 5, 2026), dt.date(2026, 11, 24), dt.date(2026, 11, 23), days=0)
    counted = {row.school for row in city.expected}
    apart = [school for school in city.schools if school.code not in counted]
    assert {school.type for school in apart} >= {"教学点"}
    assert any(school.closed for school in apart)

"""Lines: a case a sentence of the methodology."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.compliance.line_rule import statistic
from collector.compliance.model import Verdict
from collector.config import Figure as Settings
from judged_line import FIVE, LESSON, C, D, S, U, V, line


@pytest.mark.parametrize(
    ("rate", "verdict"), [(9.7, V), (9.69, C), (10.0, V), (9.699999, C), (94.0, V)]
)
def test_the_percentile_reaches_097_t(town: Any, rate: float, verdict: Verdict) -> None:
    town.line()
    town.tested(rate, FIVE, times=2)
    assert town.unit("line").verdict is verdict


@pytest.mark.parametrize(
    ("days", "times", "verdict"),
    [
        (FIVE, 2, V),  # 10 tests on 5 days
        (FIVE[:4], 3, D),  # 12 on 4
        ((1, 2, 3, 4, 7, 8, 9, 10, 11), 1, D),  # 9 on 9
        ((41, 40, 39, 38, 37), 2, V),  # the window's first day
        ((42, 41, 40, 39, 38), 2, D),
    ],
)
def test_ten_tests_on_five_days_of_the_window(
    town: Any, days: Any, times: int, verdict: Verdict
) -> None:
    town.line()
    town.tested(12.0, days, times=times)
    assert town.unit("line").verdict is verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (9, 1, C),  # the 9th smallest of 10 is low
        (8, 2, V),  # it is high
        (18, 2, C),  # the 18th of 20
        (17, 3, V),
        (10, 1, C),  # the 10th of 11
        (9, 2, V),
    ],
)
def test_it_is_the_ceil_of_09_n_th_smallest(
    town: Any, low: int, high: int, verdict: Verdict
) -> None:
    town.line()
    for nth in range(low + high):
        town.tested(6.0 if nth < low else 20.0, [1 + nth % 5], at=dt.time(12, 1 + nth))
    assert line(town).tests == low + high
    assert town.unit("line").verdict is verdict


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=60))
def test_places_against_their_definitions(rates: list[float]) -> None:
    """p90 by counting; fcc80: reaches x exactly when at least 80% of the rates do."""
    n = len(rates)
    p90 = statistic(rates, Settings())
    assert p90 is not None
    assert sum(rate <= p90 for rate in rates) >= Fraction(9, 10) * n
    assert sum(rate < p90 for rate in rates) < Fraction(9, 10) * n
    low = statistic(rates, Settings(rule="fcc80"))
    assert low is not None
    for limit in rates:
        share = Fraction(sum(rate >= limit for rate in rates), n)
        assert (low >= limit) == (share >= Fraction(8, 10))


def test_lesson_tests_join_where_quiet_ones_are_few(town: Any) -> None:
    town.line()
    town.tested(12.0, (1, 2), times=2)
    town.tested(12.0, (3, 7, 8), times=2, at=LESSON)
    assert town.unit("line").verdict is V


def test_lesson_tests_never_prove_short(town: Any) -> None:
    town.line()
    town.tested(5.0, range(1, 30), at=LESSON)
    assert town.unit("line").verdict is D


def test_lesson_tests_prove_beside_enough_low_quiet_ones(town: Any) -> None:
    """Enough low quiet tests deny only if both together do not reach either."""
    town.line()
    town.tested(6.0, FIVE, times=2)
    assert town.unit("line").verdict is C
    town.tested(50.0, (1,), at=LESSON)
    assert town.unit("line").verdict is C  # 1 of 11
    town.tested(50.0, (2,), at=LESSON)
    assert town.unit("line").verdict is V  # 2 of 12
    assert line(town).lesson_median == 50.0


@pytest.mark.parametrize(("quiet", "lesson"), [(10, 0), (9, 1), (9, 3), (10, 2), (5, 5)])
def test_one_quiet_test_fewer_never_makes_a_no_a_yes(town: Any, quiet: int, lesson: int) -> None:
    """With the lesson tests joined only where quiet ones are few, that was so."""
    town.line()
    for nth in range(quiet):
        town.tested(6.0, [1 + nth % 5], at=dt.time(12, 1 + nth))
    for nth in range(lesson):
        town.tested(20.0, [1 + nth % 5], at=dt.time(9, 1 + nth))
    before = town.unit("line").verdict
    town.tests.pop(0)
    town.records.pop(0)
    after = town.unit("line").verdict
    assert (before, after) in {(C, D), (D, D), (V, V), (D, V), (V, D)}
    assert before is not C or lesson < 2


@pytest.mark.parametrize(
    ("at", "seconds", "quiet"),
    [
        (dt.time(7, 59, 59), 10.0, True),
        (dt.time(8, 0, 5), 10.0, False),  # ends in a lesson
        (dt.time(12, 0, 0), 10.0, False),  # began in one
        (dt.time(12, 0, 10), 10.0, True),
        (dt.time(23, 59, 59), 10.0, True),
        (dt.time(12, 30, 0), None, False),  # for how long is not known
    ],
)
def test_quiet_is_outside_lessons(
    town: Any, at: dt.time, seconds: float | None, quiet: bool
) -> None:
    town.line()
    town.tested(12.0, (1,), at=at, seconds=seconds)
    assert (line(town).tests, line(town).lesson_tests) == ((1, 0) if quiet else (0, 1))


def test_a_sunday_is_quiet_and_in_the_window(town: Any) -> None:
    town.line()
    town.tested(12.0, (4,), at=LESSON)  # 2026-12-27
    assert line(town).tests == 1


@pytest.mark.parametrize(
    ("measured", "contract", "verdict"),
    [
        (12.0, 4, V),  # a yes, whatever the register says
        (6.0, 20, C),
        (6.0, 4, S),
        (6.0, None, S),
        (None, 10, D),  # "以上" includes the number itself
        (None, 9.9, S),
        (None, None, U),
    ],
)
def test_the_contract_alone_is_declared(
    town: Any, measured: float | None, contract: float | None, verdict: Verdict
) -> None:
    town.line(contract=contract)
    if measured:
        town.tested(measured, FIVE, times=2)
    assert town.unit("line").verdict is verdict


def test_met_with_a_median_below_is_congested(town: Any) -> None:
    town.line()
    for nth in range(10):
        town.tested(6.0 if nth < 7 else 20.0, [1 + nth % 5], at=dt.time(12, 1 + nth))
    judged = line(town)
    assert (judged.verdict, judged.congested, judged.median) == (V, True, 6.0)


def test_lines_between_are_counted_and_lost_without_tolerance(town: Any) -> None:
    town.line()
    town.tested(9.8, FIVE, times=2)
    notes = town.figure().notes
    assert (notes["lines_between"], notes["schools_lost_without_tolerance"]) == (1, 1)


def test_the_threshold_is_a_setting(town: Any) -> None:
    town.line(contract=100)
    town.tested(94.0, FIVE, times=2)
    assert town.unit("line").verdict is V
    assert town.unit("line", threshold_mbps=100.0).verdict is C


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(2, 8, V), (3, 7, C), (2, 9, V), (3, 9, C), (3, 12, V)]
)
def test_fcc80(town: Any, low: int, high: int, verdict: Verdict) -> None:
    """At least 80% of valid quiet tests ≥ 0.8 T."""
    town.line()
    for nth in range(low + high):
        town.tested(7.9 if nth < low else 8.0, [1 + nth % 5], at=dt.time(12, 1 + nth))
    assert town.unit("line", rule="fcc80").verdict is verdict


@pytest.mark.parametrize(("quiet", "verdict"), [(7.9, C), (8.0, V)])
def test_fcc80_looks_at_quiet_tests_alone(town: Any, quiet: float, verdict: Verdict) -> None:
    town.line()
    town.tested(quiet, FIVE, times=2)
    town.tested(50.0, FIVE, times=50, at=LESSON)
    assert town.unit("line", rule="fcc80").verdict is verdict

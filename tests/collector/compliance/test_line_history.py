"""What a line's result becomes with time: old results, inspections, bursts, long tests."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from collector.compliance.lines import by_line
from collector.compliance.model import Verdict
from collector.compliance.school_line import Judging, judge
from collector.compliance.window import Windows
from collector.config import Figure as Settings
from judged_line import FIVE, LESSON, C, D, V, line

FIVE_OLD = (21, 22, 23, 24, 25)


def test_an_old_no_stands_until_a_later_yes(town: Any) -> None:
    town.line()
    town.tested(6.0, range(200, 210), times=2)
    assert town.unit("line").verdict is C
    town.tested(20.0, range(150, 153))  # three tests say nothing
    assert town.unit("line").verdict is C
    town.tested(20.0, range(60, 70))  # a yes, by now outside the window
    assert town.unit("line").verdict is D


def test_an_expired_yes_clears_an_inspection_s_older_no(town: Any) -> None:
    town.line()
    town.inspected("line", 300, False)
    assert town.unit("line").verdict is C
    town.tested(20.0, range(200, 210), times=2)
    assert town.unit("line").verdict is D


def test_a_yes_of_any_day_ends_the_no_before_it(town: Any) -> None:
    """On its last day the line had 130 tests of which 10 were good: a no. The bad ones leave the
    window first, so that the rule says yes, and what it once granted no silence takes back."""
    town.line()
    town.tested(6.0, range(106, 112), times=20)
    town.tested(20.0, range(75, 80), times=2)
    assert town.figure(town.ago(75)).lines[0].verdict is C
    assert town.figure(town.ago(60)).lines[0].verdict is V
    assert town.unit("line").verdict is D


@pytest.mark.parametrize("good", [(0, 1), (4, 5), (8, 9), (0, 9)])
def test_the_order_of_ten_tests_is_nothing_after_silence(town: Any, good: Any) -> None:
    """Ten low tests, then ten of which two are good, wherever among them: the rule says no, then
    yes once the first ten have left the window, then nothing."""
    town.line()
    town.tested(6.0, range(85, 90), times=2)
    for nth in range(10):
        rate = 20.0 if nth in good else 6.0
        town.tested(rate, [84 - nth // 2], at=dt.time(12, 1 + nth))
    verdicts = [town.figure(town.ago(day)).lines[0].verdict for day in (80, 43, 0)]
    assert verdicts == [C, V, D]


def test_good_tests_that_leave_the_window_first_make_no_no(town: Any) -> None:
    town.line()
    town.tested(20.0, range(85, 90))
    town.tested(6.0, range(80, 85), times=8)
    assert town.figure(town.ago(80)).lines[0].verdict is V
    assert town.figure(town.ago(45)).lines[0].verdict is D
    town.tested(6.0, (44,))
    assert town.figure(town.ago(44)).lines[0].verdict is C


def test_a_window_of_few_tests_keeps_the_earlier_result(town: Any) -> None:
    town.line()
    town.tested(6.0, range(50, 60), times=2)
    town.tested(20.0, (1, 2, 3))
    assert town.unit("line").verdict is C


def test_the_later_of_inspection_and_tests_holds(town: Any) -> None:
    town.line()
    town.tested(20.0, range(5, 15), times=2)
    town.inspected("line", 4, False)
    assert town.unit("line").verdict is C
    town.tested(6.0, (2,))  # a low test supports no yes
    assert town.unit("line").verdict is C
    town.tested(20.0, (1,))
    assert town.unit("line").verdict is V


def test_evidence_after_the_cutoff_does_not_exist(town: Any) -> None:
    town.line()
    town.tested(20.0, (-1, -2, -3, -4, -5), times=2)
    assert town.unit("line").verdict is D


def test_a_low_lesson_test_makes_no_older_no_newer(town: Any) -> None:
    town.line()
    town.tested(5.0, FIVE_OLD, times=2)
    town.inspected("line", 15, found=True)
    assert town.unit("line").verdict is Verdict.INSPECTED
    town.tested(3.0, (2,), at=LESSON)
    assert town.unit("line").verdict is Verdict.INSPECTED
    town.tested(3.0, (1,))
    assert town.unit("line").verdict is Verdict.CONTRADICTED


def test_short_tests_of_a_burst_bucket_prove_nothing(town: Any) -> None:
    """A line of 5 that lets 2 MB pass at 10: the weekly long test knows."""
    town.line()
    town.tested(10.0, FIVE, times=2)
    town.tested(5.0, (2, 9), at=dt.time(17, 45), long=True, burst=True)
    assert town.unit("line").verdict is D  # too few that count
    assert dict(line(town).refused) == {"burst": 10}


def test_short_tests_at_the_sustained_rate_still_count(town: Any) -> None:
    town.line()
    town.tested(5.2, FIVE, times=2)
    town.tested(5.0, (2,), at=dt.time(17, 45), long=True, burst=True)
    assert not line(town).refused
    assert town.unit("line").verdict is C


def test_a_long_test_without_a_burst_flags_nothing(town: Any) -> None:
    town.line()
    town.tested(10.0, FIVE, times=2)
    town.tested(9.0, (2,), at=dt.time(17, 45), long=True)  # a slow evening
    assert not line(town).refused


def test_a_bucket_that_was_taken_away_no_longer_flags(town: Any) -> None:
    town.line()
    town.tested(5.0, (20,), at=dt.time(7, 45), long=True, burst=True)
    town.tested(10.0, (9,), at=dt.time(7, 45), long=True)
    town.tested(10.0, (1, 2, 3, 7, 8), times=2)
    town.tested(10.0, (15,))
    assert dict(line(town).refused) == {"burst": 1}


def test_a_traced_school_says_what_cleared_a_line_s_no(town: Any) -> None:
    town.line()
    town.tested(6.0, range(200, 205), times=2)
    town.tested(20.0, FIVE, times=2)
    evidence, register, rules = town.evidence(), town.register(), Settings()
    tests = by_line(evidence.line_tests, evidence.line_records, register, town.cutoff)
    windows = Windows(register.calendar, rules)
    judging = Judging(register, tests, windows, rules, town.cutoff, tracing=True)
    unit, _ = judge(judging, register.schools[town.code])
    (cleared,) = [step for step in unit.steps if step.rule == "cleared"]
    assert cleared.numbers["no"] == town.ago(200).isoformat()
    assert cleared.numbers["yes"] == town.ago(1).isoformat()
    assert not [step for step in town.unit("line").steps if step.rule == "cleared"]


@pytest.mark.parametrize(("good", "verdict"), [(30, Verdict.VERIFIED), (60, D)])
def test_an_inspection_s_no_stays_cleared_when_the_line_that_cleared_it_fails(
    town: Any, good: int, verdict: Verdict
) -> None:
    """Line 2 met after the visit, and says no since; line 1 met before the visit."""
    town.line("1")
    town.line("2")
    town.tested(20.0, range(good, good + 5), "1", times=2)
    town.inspected("line", 28, found=False)
    assert town.unit("line").verdict is C
    town.tested(20.0, range(20, 25), "2", times=2)
    assert town.unit("line").verdict is Verdict.VERIFIED
    town.tested(2.0, range(5, 10), "2", times=40)
    assert town.unit("line").verdict is verdict


@pytest.mark.parametrize(
    ("at", "seconds"),
    [
        (dt.time(12, 30), 5 * 3600.0),  # began before the morning's lessons
        (dt.time(0, 30), 8 * 3600.0),  # began the afternoon before
        (dt.time(6, 0), 17 * 3600.0),  # the afternoon before lies in it
        (dt.time(12, 30), 86_400.0),
        (dt.time(12, 30), 1e9),
    ],
)
def test_a_test_with_a_whole_lesson_in_it_is_not_quiet(
    town: Any, at: dt.time, seconds: float
) -> None:
    town.line()
    town.tested(2.0, FIVE, at=at, times=2, seconds=seconds)
    assert town.unit("line").verdict is D


def test_a_long_test_at_night_is_quiet(town: Any) -> None:
    town.line()
    town.tested(2.0, FIVE, at=dt.time(7, 0), times=2, seconds=12 * 3600.0)
    assert town.unit("line").verdict is C


def test_a_long_test_speaks_for_two_weeks(town: Any) -> None:
    town.line()
    town.tested(5.0, (20,), long=True, burst=True)
    town.tested(10.0, (5, 6), times=1, at=dt.time(12, 31))
    town.tested(10.0, (6,), times=1, at=dt.time(12, 29))
    assert dict(line(town).refused) == {"burst": 1}

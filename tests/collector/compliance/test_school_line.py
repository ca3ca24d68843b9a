"""Lines: a case a sentence of the methodology."""

from __future__ import annotations

import dataclasses
import datetime as dt
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.compliance.line_rule import statistic
from collector.compliance.lines import by_line
from collector.compliance.model import JudgedLine, Verdict
from collector.compliance.school_line import Judging, judge
from collector.compliance.window import Windows
from collector.config import Figure as Settings

V, N, D, C, S, U = Verdict
LESSON = dt.time(9, 0)
FIVE = (1, 2, 3, 7, 8)
FIVE_OLD = (21, 22, 23, 24, 25)


def line(town: Any, **settings: Any) -> JudgedLine:
    lines = town.figure(**settings).lines
    assert len(lines) == 1
    judged: JudgedLine = lines[0]
    return judged


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


FLAWS: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("wired", {"wired": False}, {}, "not_wired"),
    ("wired, and known to be", {"wired": None}, {}, "not_wired"),
    ("a loopback is no line", {"wired": False, "interface": "lo"}, {}, "loopback"),
    ("alone on the line", {"solo": False}, {}, "not_alone"),
    ("alone, and known to be", {"solo": None}, {}, "not_alone"),
    ("alone by the server's word too", {}, {"solo": False}, "not_alone"),
    ("other local traffic < 5%", {"other_share": 0.05}, {}, "other_traffic"),
    ("other local traffic, and known to be", {"other_share": None}, {}, "other_traffic"),
    ("no error", {"outcome": "aborted"}, {}, "error"),
    ("no error, a rate", {"down_mbps": None}, {}, "no_rate"),
    ("not limited by the server", {"server_limited": True}, {}, "server_limited"),
    ("not limited by the server, and known", {"server_limited": None}, {}, "server_limited"),
    ("the agent's own doubt, beside its PC's", {"reason": "pc_limited, wifi"}, {}, "said_invalid"),
    ("the agent's own doubt", {"reason": "?"}, {}, "said_invalid"),
    ("confirmed by the server's record", {}, {"outcome": ""}, "no_record"),
    ("a record of a finished test", {}, {"outcome": "expired"}, "record_failed"),
    ("payload ≤ the bytes that the server sent", {}, {"sent_bytes": 9_999_999}, "payload"),
    ("rate ≤ 1.08 × the server's", {}, {"down_mbps": 11.1}, "rate"),
    ("a rate of the server's", {}, {"down_mbps": None}, "rate"),
]


@pytest.mark.parametrize(
    ("more", "record", "why"), [flaw[1:] for flaw in FLAWS], ids=[flaw[0] for flaw in FLAWS]
)
def test_valid(town: Any, more: dict[str, Any], record: dict[str, Any], why: str) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2, record=record, **more)
    assert town.unit("line").verdict is D
    assert dict(line(town).refused) == {why: 10}


def test_one_days_tests_cannot_be_dated_onto_ten(town: Any) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2)
    made = town.records[0].time  # by the server's word all of them were then
    town.records[:] = [dataclasses.replace(record, time=made) for record in town.records]
    assert town.unit("line").verdict is D
    assert dict(line(town).refused) == {"time": 8}


def test_a_report_some_minutes_from_its_record_counts(town: Any) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2)
    five = 5 * 60 * 10**9
    town.records[:] = [
        dataclasses.replace(record, time=record.time + five) for record in town.records
    ]
    assert town.unit("line").verdict is V


@pytest.mark.parametrize(
    ("more", "record"),
    [
        ({"other_share": 0.0499}, {}),
        ({}, {"down_mbps": 11.2}),  # 12 ≤ 12.096
        ({}, {"sent_bytes": 10_000_000}),
    ],
)
def test_still_valid(town: Any, more: dict[str, Any], record: dict[str, Any]) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2, record=record, **more)
    assert town.unit("line").verdict is V


@pytest.mark.parametrize("changed", ["school", "line", "test"])
def test_the_record_is_of_the_same_id_school_and_line(town: Any, changed: str) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2)
    town.records = [
        dataclasses.replace(row, **{changed: f"{getattr(row, changed)}x"}) for row in town.records
    ]
    assert line(town).refused["no_record"] == 10


def test_a_record_without_a_report_is_a_failed_test(town: Any) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2)
    town.tests.pop()
    assert line(town).tests == 9
    assert dict(line(town).refused) == {"no_report": 1}


def test_an_id_counts_once_and_for_the_machine_that_the_server_knows(town: Any) -> None:
    town.line()
    town.tested(12.0, FIVE, times=2)
    copies = [
        dataclasses.replace(row, machine="b" * 32, time=row.time - 1, down_mbps=12.9)
        for row in town.tests
    ]
    town.tests += copies
    judged = line(town)
    assert (judged.tests, judged.statistic, dict(judged.refused)) == (10, 12.0, {"used_twice": 10})


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


def two_campuses(town: Any, first: float | None, second: float | None) -> None:
    town.taught("一班", town.room("101"))
    town.taught("二班", town.room("201", campus="东校区"))
    for name, campus, rate in (("1", "本部", first), ("2", "东校区", second)):
        town.line(name, campus=campus)
        if rate:
            town.tested(rate, FIVE, name, times=2)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [(12.0, 12.0, V), (12.0, 6.0, C), (12.0, None, D), (6.0, None, C), (None, None, D)],
)
def test_every_campus_with_classes_needs_a_line(
    town: Any, first: float | None, second: float | None, verdict: Verdict
) -> None:
    two_campuses(town, first, second)
    assert town.unit("line").verdict is verdict


@pytest.mark.parametrize(
    ("contracts", "second", "verdict"),
    [
        (
            (4, 20),
            None,
            D,
        ),  # was 未配备: the first campus is measured, its contract decides nothing
        ((None, 20), None, D),
        ((4, 20), 6.0, C),
        ((20, 4), None, S),
        ((20, None), None, U),
        ((4, 4), 6.0, S),
    ],
)
def test_each_campus_decides_by_its_own_evidence(
    town: Any, contracts: Any, second: float | None, verdict: Verdict
) -> None:
    two_campuses(town, 12.0, second)
    town.lines = [
        dataclasses.replace(row, contract_mbps=rate)
        for row, rate in zip(town.lines, contracts, strict=True)
    ]
    assert town.unit("line").verdict is verdict


def test_a_line_whose_yes_expires_makes_that_of_the_other_no_older(town: Any) -> None:
    """The inspection's no lies between the last good readings of the campus's two lines."""
    for name in ("1", "2"):
        town.line(name)
    town.tested(12.0, (20, 21, 22, 23, 24), "1", times=2)
    town.inspected("line", 15, found=False)
    assert town.unit("line").verdict is C
    town.tested(12.0, (41, 38, 37, 36, 10), "2", times=2)
    assert town.unit("line").verdict is V
    assert town.figure(town.ago(-1)).units[-1].verdict is V  # line 2 has 8 tests left


def test_a_campus_without_classes_needs_none(town: Any) -> None:
    two_campuses(town, 12.0, 6.0)
    town.classes.pop()
    assert town.unit("line").verdict is V


def test_a_campus_without_current_classes_needs_no_line(town: Any) -> None:
    two_campuses(town, 12.0, 6.0)
    town.classes[-1] = dataclasses.replace(town.classes[-1], end=town.ago(1))
    assert town.unit("line").verdict is V


def test_without_any_class_all_campuses_count(town: Any) -> None:
    two_campuses(town, 12.0, 6.0)
    town.classes.clear()
    assert town.unit("line").verdict is C


def test_a_campus_without_a_line_is_not_met(town: Any) -> None:
    two_campuses(town, 12.0, 12.0)
    town.lines.pop()
    assert town.unit("line").verdict is U


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [(12.0, 6.0, V), (6.0, 6.0, C), (6.0, None, D), (12.0, None, V)],
)
def test_one_of_a_campus_s_lines_is_enough(
    town: Any, first: float, second: float | None, verdict: Verdict
) -> None:
    for name, rate in (("1", first), ("2", second)):
        town.line(name)
        if rate:
            town.tested(rate, FIVE, name, times=2)
    assert town.unit("line").verdict is verdict


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [(6.0, 6.0, V), (4.85, 4.85, V), (4.84, 4.85, C), (6.0, None, D), (12.0, None, V)],
)
def test_bonded_lines_by_setting_the_sum(
    town: Any, first: float, second: float | None, verdict: Verdict
) -> None:
    for name, rate in (("1", first), ("2", second)):
        town.line(name)
        if rate:
            town.tested(rate, FIVE, name, times=2)
    assert town.unit("line", bonded=True).verdict is verdict


def test_contract_stands_beside(town: Any) -> None:
    town.line(contract=4)
    town.school("9901020002")
    town.line(contract=100, code="9901020002")
    town.tested(12.0, FIVE, times=2)
    figure = town.figure()
    assert figure.contract["630100"].reported == Fraction(1, 2)
    assert figure.tallies["630100", "line"].verified == Fraction(1, 2)


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

"""A school's lines by campus: every campus with classes needs one, each by its own evidence."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import pytest

from collector.compliance.model import Verdict
from judged_line import FIVE, C, D, S, U, V


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

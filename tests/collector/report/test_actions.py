"""What to do about the figure: grouped, counted, cheapest first."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest

from agent.common import language as lang
from agent.common.vocabulary.actions import PRICE, REASONS
from collector.compliance.model import Step, Unit, Verdict
from collector.compliance.targets import goal, target
from collector.report.actions import DONE, plan
from collector.report.reasons import reason
from collector.report.todo import line_lists


def of(figure: Any, school: str, indicator: str) -> list[Any]:
    rows = plan(figure).actions
    return [row for row in rows if (row.school, row.indicator) == (school, indicator)]


def test_every_open_unit_is_in_exactly_one_action(town: Any) -> None:
    figure = town.figure()
    listed = Counter(
        (row.indicator, row.school, name) for row in plan(figure).actions for name in row.units
    )
    units = [unit for unit in figure.units if unit.verdict not in DONE]
    assert listed == Counter((unit.indicator, unit.school, unit.name) for unit in units)
    assert max(listed.values()) == 1


def test_gaps_count_what_the_target_asks_for(town: Any) -> None:
    figure = town.figure()
    for gap in plan(figure).gaps:
        asked = goal(target(figure, gap.indicator))
        assert asked is not None
        if not gap.tally.all:
            assert gap.needed is None
            continue
        done = sum(gap.tally.counts[verdict] for verdict in DONE)
        assert gap.open == gap.tally.all - done
        assert gap.needed == max(0, math.ceil(asked * gap.tally.all) - done)
        assert Fraction(done + gap.needed, gap.tally.all) >= asked
        assert gap.needed == 0 or Fraction(done + gap.needed - 1, gap.tally.all) < asked
        assert sum(gap.cheapest.values()) == min(gap.needed, gap.open)
        prices = [PRICE[code] for code in gap.prices]
        assert prices == sorted(prices)


def test_the_cheapest_come_first_and_only_as_many_as_needed(new_town: Any) -> None:
    town = new_town()
    for number in range(10):
        code = town.school(f"99010200{number:02d}")
        town.line(code=code, contract=4 if number < 3 else 100)
    gap = next(gap for gap in plan(town.figure()).gaps if gap.indicator == "line")
    assert (gap.needed, gap.open) == (8, 10)
    assert dict(gap.cheapest) == {"no_tests": 7, "low_contract": 1}


def test_no_units_no_gap(new_town: Any) -> None:
    assert {gap.needed for gap in plan(new_town().figure()).gaps} == {None}
    assert plan(new_town().figure()).actions == []


def test_three_hundred_classes_of_a_school_are_one_line(new_town: Any) -> None:
    town = new_town()
    town.school()
    for number in range(300):
        room = town.room(str(number), computer=1, projector=1)
        town.taught(f"{number}班", room)
        town.saw(room, (1, 2, 3))
    (row,) = of(town.figure(), town.code, "multimedia")
    assert (row.reason, len(row.units)) == ("missing", 300)
    assert "显示设备" in row.why.zh
    assert "300" in row.named()
    assert len(row.named()) < 80


@pytest.mark.parametrize(
    ("school", "indicator", "reasons"),
    [
        ("9901020001", "multimedia", {"missing": 1, "no_agent": 1, "no_room": 1}),
        ("9901020002", "line", {"low_contract": 1}),
        ("9901020002", "multimedia", {"lacking": 1}),
        ("9901030001", "line", {"refused": 1}),
        ("9901030001", "computer_room", {"unregistered": 1}),
    ],
)
def test_why(town: Any, school: str, indicator: str, reasons: dict[str, int]) -> None:
    rows = of(town.figure(), school, indicator)
    assert {row.reason: len(row.units) for row in rows} == reasons


def test_an_inspection_that_said_no_is_named(town: Any) -> None:
    town.inspected("line", 3, False, code="9901030001")
    town.inspections[-1] = dataclasses.replace(town.inspections[-1], note="没有光猫")
    (row,) = of(town.figure(), "9901030001", "line")
    assert row.reason == "inspected"
    assert "没有光猫" in row.why.zh


def test_silent_since(new_town: Any) -> None:
    town = new_town()
    town.school()
    room = town.room("101", computer=1, projector=1)
    town.taught("一班", room)
    town.saw(room, (90, 91, 92), "display")
    (row,) = of(town.figure(), town.code, "multimedia")
    assert row.reason == "silent"
    assert str(town.ago(90)) in row.why.zh


def test_a_slow_line_names_contract_and_measurement(new_town: Any) -> None:
    town = new_town()
    town.school()
    town.line(contract=100)
    town.tested(6.0, (1, 2, 3, 7, 8), times=2)
    figure = town.figure()
    row = next(row for row in plan(figure).actions if row.indicator == "line")
    assert row.reason == "slow"
    for part in ("6.00", "9.7", "100"):
        assert part in row.why.zh
    assert [miss.kind for miss in plan(figure).mismatches] == ["paper_only"]


def test_measured_but_not_by_contract(new_town: Any) -> None:
    town = new_town()
    town.school()
    town.line(contract=4)
    town.tested(12.0, (1, 2, 3, 7, 8), times=2)
    assert [miss.kind for miss in plan(town.figure()).mismatches] == ["better"]


def test_the_nearest_district_and_school_come_first(new_town: Any) -> None:
    town = new_town()
    for code, unit, classes in (
        ("9901020001", "630102", 3), ("9901020002", "630102", 1), ("9901030001", "630103", 2),
    ):  # fmt: skip
        town.school(code, responsible=unit)
        for number in range(classes):
            town.taught(f"{number}班", town.room(str(number), code=code, tv=0), code=code)
    made = plan(town.figure())
    districts = [gap.area.code for gap in made.gaps if gap.indicator == "multimedia"][1:]
    assert districts == ["630103", "630102"]
    schools = [row.school for row in made.actions if row.indicator == "multimedia"]
    assert schools == ["9901020002", "9901020001", "9901030001"]


def test_words_in_both_languages(town: Any) -> None:
    row = of(town.figure(), town.code, "multimedia")[-1]
    assert "缺" in str(row.why)
    lang.choose("en")
    assert "lacks" in str(row.why)
    assert all(part.en for reason in REASONS.values() for part in reason)


def judged(verdict: Verdict, because: str, *steps: Step) -> Any:
    end = Step("verdict", "", "", {"verdict": str(verdict), "because": because})
    return Unit("multimedia", "9901020001", "630102", "一班", verdict, (*steps, end))


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ({"days_complete": 0, "days_kind_unknown": 4}, "kind_unknown"),
        ({"days_complete": 0, "days_elsewhere": 4, "days_kind_unknown": 1}, "elsewhere"),
        ({"days_complete": 2, "days_lacking": 2, "lacking": ["display"]}, "few_days"),
    ],
)
def test_a_room_that_is_open(numbers: dict[str, object], code: str) -> None:
    room = Step("room", "", "", {"room": "101", "days_reported": 5, "days_needed": 3, **numbers})
    assert reason(judged(Verdict.DECLARED, "register", room)).code == code


def test_a_room_that_lacks_on_enough_days() -> None:
    numbers = {"room": "101", "days_needed": 3, "days_lacking": 3, "lacking": ["display"]}
    found = reason(judged(Verdict.CONTRADICTED, "telemetry", Step("room", "", "", numbers)))
    assert (found.code, found.detail.zh) == ("missing", "缺显示设备")


@pytest.mark.parametrize(
    ("numbers", "refused", "found"),
    [
        ({"quiet_tests": 3, "quiet_days": 2}, {}, ("few_tests", "课外 3 次 2 天，需 10 次 5 天")),
        ({"quiet_tests": 0, "quiet_days": 0}, {}, ("no_tests", "")),
        ({"quiet_tests": 0, "quiet_days": 0}, {"not_wired": 4}, ("refused", "不是有线 4 次")),
    ],
)
def test_a_campus_that_meets_is_not_the_reason(
    numbers: dict[str, object], refused: dict[str, object], found: tuple[str, str]
) -> None:
    asked = {"min_tests": 10, "min_days": 5, "lesson_tests": 0}
    steps = [
        Step("line", "", "", {"line": "a", "campus": "东", "quiet_tests": 84, "quiet_days": 28}),
        Step("refused", "", "", {"line": "a", "error": 99}),
        Step("campus", "", "", {"campus": "东", "meets": True}),
        Step("line", "", "", {"line": "b", "campus": "西", **asked, **numbers}),
        Step("refused", "", "", {"line": "b", **refused}),
        Step("campus", "", "", {"campus": "西", "meets": None}),
    ]
    unit = dataclasses.replace(judged(Verdict.DECLARED, "register", *steps), indicator="line")
    assert (reason(unit).code, reason(unit).detail.zh) == found


def test_a_void_inspection_is_not_the_reason() -> None:
    rows = [("2026-03-01", False, ""), ("2026-04-01", False, "写错了"), ("2026-05-01", True, "")]
    visits = [
        Step("inspection", "", "", {"day": day, "inspector": "甲", "found": found, "void": void})
        for day, found, void in rows
    ]
    found = reason(judged(Verdict.CONTRADICTED, "inspection", *visits))
    assert found.detail.zh == "2026-03-01，甲"


@pytest.mark.parametrize(
    ("verdict", "because", "code"),
    [
        (Verdict.DECLARED, "register", "unproven"),
        (Verdict.UNKNOWN, "register", "unregistered"),
        (Verdict.SHORT, "register", "lacking"),
        (Verdict.SHORT, "telemetry", "lacking"),
        (Verdict.CONTRADICTED, "telemetry", "missing"),
    ],
)
def test_a_unit_of_a_rule_without_numbers_of_its_own(
    monkeypatch: Any, verdict: Verdict, because: str, code: str
) -> None:
    monkeypatch.setattr("collector.report.kinds.rule", lambda indicator: "another")
    assert reason(judged(verdict, because)).code == code


@pytest.mark.parametrize(
    ("statistic", "said"),
    [(12.0, "合同 10，实测 12.00，中位数 9.45"), (None, "合同 10，窗口内有效测试 3 次，不够")],
)
def test_a_disputed_line_shows_what_the_rule_compared(
    town: Any, statistic: float | None, said: str
) -> None:
    figure = town.figure()
    line = dataclasses.replace(
        figure.lines[0], contract_mbps=10.0, congested=True, tests=3, p90=None, median=9.45,
        statistic=statistic,
    )  # fmt: skip
    found = line_lists(plan(dataclasses.replace(figure, lines=[line])))
    assert any(said in row[2] for rows in found for row in rows.rows)


@pytest.mark.parametrize(
    ("contract", "found"),
    [
        (4.0, ("low_contract", "a：实测 3.90，门限 9.7；合同 4 Mbit/s")),
        (None, ("slow", "a：实测 3.90，门限 9.7；合同带宽没有登记")),
    ],
)
def test_only_a_known_contract_is_called_too_low(
    contract: float | None, found: tuple[str, str]
) -> None:
    measured = {"line": "a", "campus": "本部", "statistic_mbps": 3.9, "limit_mbps": 9.7}
    steps = [
        Step("line", "", "", measured),
        Step("register", "", "", {"contracts_mbps": {"本部": [contract]}}),
    ]
    unit = dataclasses.replace(judged(Verdict.SHORT, "telemetry", *steps), indicator="line")
    assert (reason(unit).code, reason(unit).detail.zh) == found

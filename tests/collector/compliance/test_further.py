"""Several indicators in one figure: lines at several thresholds, and those that count schools."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from collector.compliance import evidence
from collector.compliance.figure import Judge
from collector.compliance.model import Figure, Verdict
from collector.compliance.targets import applies, name, passed, remark, target
from collector.config import City
from collector.config import Figure as Settings
from collector.indicator_settings import Indicator, Target, joined, joined_targets
from collector.store.sqlite import SqliteStore

V, N, D = Verdict.VERIFIED, Verdict.INSPECTED, Verdict.DECLARED
C, S, U = Verdict.CONTRADICTED, Verdict.SHORT, Verdict.UNKNOWN
DAYS = (1, 2, 3, 7, 8)


def also(*names: str) -> dict[str, Indicator]:
    return joined({each: Indicator() for each in names})


def verdict(town: Any, indicator: str) -> Verdict:
    found: Verdict = town.unit(indicator, indicators=also(indicator)).verdict
    return found


def test_a_line_is_judged_at_several_thresholds_in_one_figure(town: Any) -> None:
    town.line(contract=200)
    town.tested(120.0, DAYS, times=2)
    figure = town.figure(indicators=also("line_100", "line_1000"))
    assert list(figure.indicators)[2:] == ["line", "line_100", "line_1000"]
    found = {unit.indicator: unit.verdict for unit in figure.units}
    assert (found["line"], found["line_100"], found["line_1000"]) == (V, V, S)
    assert len(figure.lines) == 1  # listed once, by the default threshold
    limits = {
        unit.indicator: step.numbers["limit_mbps"]
        for unit in figure.units
        for step in unit.steps
        if step.rule == "line"
    }
    assert limits == {"line": 9.7, "line_100": 97.0, "line_1000": 970.0}


def test_the_same_as_with_that_threshold_alone(town: Any) -> None:
    town.line(contract=100)
    town.tested(30.0, DAYS, times=2)
    alone = town.unit("line", threshold_mbps=100.0)
    beside = town.unit("line_100", indicators=also("line_100"))
    assert (alone.verdict, alone.steps) == (beside.verdict, beside.steps) == (C, alone.steps)


def test_titles_and_targets_follow_threshold_and_year(town: Any) -> None:
    rows = joined_targets([Target("line", "《全名》", 2026, 0.5, 100.0)])
    figure = town.figure(indicators=also("line_100"), targets=rows)
    assert name(figure, "line_100") in ("100M 以上带宽接入比例",
                                        "Schools with a line of 100 Mbit/s or more")  # fmt: skip
    mine, old = target(figure, "line_100"), target(figure, "line")
    assert mine is not None
    assert (mine.document, mine.value, applies(mine, 2026)) == ("《全名》", Fraction(1, 2), True)
    assert passed(Fraction(1, 2), mine, 2026) is True
    assert old is not None
    assert passed(Fraction(1), old, 2026) is None
    assert "2020" in remark(old, 2026)
    assert target(town.figure(threshold_mbps=1000.0), "line") is None


def test_a_slow_line_is_a_line(town: Any) -> None:
    town.line(contract=100)
    town.tested(0.5, (3,))
    assert verdict(town, "connected") is V


@pytest.mark.parametrize(("contract", "expected"), [(20, D), (None, D), (0, S)])
def test_without_a_test_the_register_says_who_is_connected(
    town: Any, contract: float | None, expected: Verdict
) -> None:
    town.line(contract=contract)
    town.tested(9.0, (3,), wired=False)  # no evidence
    town.tested(9.0, (300,))
    assert verdict(town, "connected") is expected


def test_no_line_in_the_register_says_nothing(town: Any) -> None:
    assert verdict(town, "connected") is U


def test_whoever_saw_a_line_saw_the_school_connected(town: Any) -> None:
    town.line()
    town.inspected("line", 5, True)
    assert verdict(town, "connected") is N


@pytest.mark.parametrize(
    ("seen", "owned", "every", "some"),
    [
        ("ab", {}, V, V),
        ("a", {"computer": 1, "projector": 1}, D, V),
        ("a", {"computer": 1, "projector": 0}, S, V),
        ("a", {}, U, V),
        ("", {}, U, U),
    ],
)
def test_a_school_by_its_classes(
    town: Any, seen: str, owned: dict[str, int], every: Verdict, some: Verdict
) -> None:
    for room in "ab":
        town.taught(room, town.room(room, **(owned if room == "b" else {})))
    for room in seen:
        town.saw(room, (1, 2, 3), "display")
    assert verdict(town, "all_classes") is every
    assert verdict(town, "any_room") is some


def test_a_school_without_classes_is_not_known(town: Any) -> None:
    assert verdict(town, "all_classes") is U
    assert verdict(town, "any_room") is U


def test_what_is_off_is_not_judged(town: Any) -> None:
    chosen = joined({"multimedia": Indicator(on=False), "all_classes": Indicator()})
    town.taught("一班", town.room("101"))
    figure = town.figure(indicators=chosen)
    assert {unit.indicator for unit in figure.units} == {"computer_room", "line", "all_classes"}


def test_one_school_alone_is_as_in_the_city(full_town: Any, fill: Any, tmp_path: Path) -> None:
    rules = Settings(indicators=also("connected", "all_classes", "line_100"))
    whole = full_town.figure(indicators=rules.indicators)
    with SqliteStore(tmp_path / "store.db") as store:
        fill(full_town, store)
        for code in {unit.school for unit in whole.units}:
            alone = _alone(store, full_town, rules, code)
            assert alone.units == [unit for unit in whole.units if unit.school == code]
            assert [area.code for area in alone.areas if area.level == "school"] == [code]


def _alone(store: SqliteStore, town: Any, rules: Settings, code: str) -> Figure:
    register = town.register()
    judging = Judge(register, rules, City(), year=2026, today=town.cutoff, only=code)
    for school, found in evidence.by_school(store, register, rules, town.cutoff, judging.schools):
        judging.add(school, found)
    return judging.figure(simulated=False)

"""The sentences that stand beside every figure."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from agent.common import language
from collector.indicator_settings import Indicator, joined
from collector.report import caveats
from collector.report.context import Selection
from collector.report.selection import narrowed
from collector.roster.register import COMPUTER_ROOM


@pytest.fixture(autouse=True)
def _chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "chosen", lambda: "zh")


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("classes_kind_from_register", "种类取自台账的：7 个"),
        ("classes_display_elsewhere", "计在别的教室、因而未核实的班级：7 个"),
        ("computer_rooms_few_seats", "座位不足 10 个的计算机教室：7 间"),
    ],
)
def test_what_needs_a_second_look_is_counted(town: Any, note: str, said: str) -> None:
    figure = town.figure()
    more = dataclasses.replace(figure, notes={**figure.notes, note: 7})
    none = dataclasses.replace(figure, notes={**figure.notes, note: 0})
    assert any(said in line for line in caveats.sentences(more))
    assert not any(said.partition("：")[0] in line for line in caveats.sentences(none))


def test_small_computer_rooms_are_named(town: Any) -> None:
    town.room("903", kind=COMPUTER_ROOM, seats=6)
    said = next(line for line in caveats.sentences(town.figure()) if "座位不足" in line)
    assert "1 间（" in said
    assert "903" in said


def test_small_computer_rooms_are_named_in_the_districts_own_report_too(town: Any) -> None:
    town.room("903", kind=COMPUTER_ROOM, seats=6)
    figure = town.figure()
    whole = next(line for line in caveats.sentences(figure) if "座位不足" in line)
    districts = [area.code for area in figure.areas if area.level == "district"]
    parts = [narrowed(figure, Selection(area=code)) for code in districts]
    said = [line for part in parts for line in caveats.sentences(part) if "座位不足" in line]
    assert said == [whole]


def test_without_the_indicator_nothing_is_said_of_its_contracts(town: Any) -> None:
    chosen = joined({"line": Indicator(on=False)})
    text = "\n".join(caveats.sentences(town.figure(indicators=chosen)))
    assert "登记接入带宽" not in text
    assert "登记线路" in text

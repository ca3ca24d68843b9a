"""Silent rooms and lines: when they were last heard of, from a real store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collector.report import heard
from collector.report.actions import plan
from collector.store.sqlite import SqliteStore


@pytest.fixture
def silent(new_town: Any) -> Any:
    """A room and a line that fell silent 100 days ago, and such that never spoke."""
    town = new_town()
    town.school()
    town.school("9901020002")
    for code in town.schools:
        town.taught("一班", town.room("101", code=code, computer=1, projector=1), code=code)
        town.line(code=code)
        town.room("机房", code=code, kind="计算机教室", seats=40)
    town.saw("101", (100, 200), "display")
    town.saw("机房", (99,), pcs=3)
    town.tested(20.0, (98, 150))
    return town


def reasons(figure: Any) -> dict[tuple[str, str], tuple[str, str]]:
    return {
        (row.school, row.indicator): (row.reason, row.detail.zh) for row in plan(figure).actions
    }


def test_the_last_day_is_found_and_never_is_never(silent: Any, fill: Any, tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "s.db") as store:
        fill(silent, store)
        town = silent
        town.room_days, town.tests, town.records = [], [], []  # the figure reads the window alone
        found = reasons(heard.completed(town.figure(), store))
    for indicator, day in (("multimedia", 100), ("computer_room", 99), ("line", 98)):
        day = town.ago(day)
        assert found["9901020001", indicator] == ("silent", f"最后上报 {day}")
    assert found["9901020002", "multimedia"][0] == "no_agent"
    assert found["9901020002", "computer_room"][0] == "no_agent"
    assert found["9901020002", "line"][0] == "no_tests"


def test_verdicts_and_rules_stay(town: Any, fill: Any, tmp_path: Path) -> None:
    figure = town.figure()
    with SqliteStore(tmp_path / "s.db") as store:
        fill(town, store)
        told = heard.completed(figure, store)
    assert [(u.name, u.verdict) for u in told.units] == [(u.name, u.verdict) for u in figure.units]
    rules = [[step.rule for step in unit.steps] for unit in figure.units]
    assert [[step.rule for step in unit.steps] for unit in told.units] == rules


def test_only_silent_ones_are_asked_for(town: Any) -> None:
    class Asked:
        def __init__(self) -> None:
            self.tags: list[Any] = []

        def read(self, name: str, start: int, stop: int, tags: Any, fields: Any) -> Any:
            self.tags.append((name, tags))
            return iter(())

    store: Any = Asked()
    heard.completed(town.figure(), store)
    rooms = {room for name, tags in store.tags if name == "room_day" for room in tags["room"]}
    assert rooms == {"103", "201"}

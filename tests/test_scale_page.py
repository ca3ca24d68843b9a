"""docs/scale.md has the tables that tests/bench/scale_page.py makes; and those hold together."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/scale.md"


@pytest.fixture
def benches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests/bench")


@pytest.fixture
def scale(benches: None) -> Any:
    return importlib.import_module("scale")


def test_the_page_has_the_tables_of_now(benches: None) -> None:
    made, text = importlib.import_module("scale_page"), PAGE.read_text("utf-8")
    assert text.count(made.BEGIN) == text.count(made.END) == 1
    assert made.placed(text) == text, "make bench-scale"


def test_every_cost_names_a_command_and_is_above_zero(scale: Any) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for name, cost in scale.COSTS.items():
        assert cost.value > 0, name
        assert cost.by.startswith("make "), name
        assert f"\n{cost.by.split()[1].rstrip(',')}:" in makefile, name


def test_a_queue_is_empty_where_there_is_room_and_grows_where_there_is_none(scale: Any) -> None:
    city = scale.LEVELS[0]
    many = scale.queue(city, 100, scale.rate(city))
    few = scale.queue(city, 2, scale.rate(city) / 2)
    assert many.lag_s < scale.given("dead_s") + 1
    assert few.lag_s > scale.given("outage_s"), "what came late never fits"
    assert few.most > many.most


def test_no_report_is_lost_in_the_simulation(scale: Any) -> None:
    city = scale.LEVELS[0]
    come = scale.arrivals(city)
    on = scale.given("morning_s")
    wanted = city.pcs + scale.rate(city) * (30_600 - on / 2)
    assert sum(map(come, range(30_600))) == pytest.approx(wanted, rel=1e-3)


def test_fewer_collectors_than_found_are_too_few(scale: Any) -> None:
    country = scale.LEVELS[-1]
    found = scale.members_for(country, 5000.0, 120.0)
    assert scale.queue(country, found, 5000.0).lag_s <= 120
    assert scale.queue(country, found - 1, 5000.0).lag_s > 120

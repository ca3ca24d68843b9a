"""Boards made for a city's own indicators, thresholds and targets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agent.common.vocabulary.words import LANGS, Lang
from collector.commands.dashboards import _editions
from collector.config import load
from dashboards import alerts, build
from dashboards.board import WIDTH
from dashboards.edition import Edition

_SETTINGS = """
[figure]
threshold_mbps = 100
[figure.indicators]
multimedia = { on = false }
connected = {}
all_classes = {}
any_room = {}
line_1000 = {}
fifty = { rule = "line", threshold_mbps = 50 }
[[figure.targets]]
indicator = "line"
threshold_mbps = 50
document = "《全名》"
year = 2027
value = 0.9
"""


@pytest.fixture(params=LANGS)
def edition(request: pytest.FixtureRequest, tmp_path: Path) -> Edition:
    file = tmp_path / "collector.toml"
    file.write_text(_SETTINGS, "utf-8")
    lang: Lang = request.param
    return next(one for one in _editions(load(str(file))[0].figure) if one.lang == lang)


def test_titles_and_targets_are_those_of_the_settings(edition: Edition) -> None:
    assert list(edition.indicators) == [
        "computer_room", "line", "line_1000", "connected", "all_classes", "any_room", "fifty",
    ]  # fmt: skip
    assert [edition.words(n).zh for n in ("line", "line_1000", "fifty")] == [
        "100M 以上带宽接入比例", "1000M 以上带宽接入比例", "50M 以上带宽接入比例",
    ]  # fmt: skip
    assert [edition.target(n) for n in ("line", "fifty", "computer_room")] == [None, 90.0, 100.0]


def test_every_panel_fits_and_every_indicator_is_on_the_overview(edition: Edition) -> None:
    for make in build.BOARDS.values():
        for panel in make(edition)["panels"]:
            place = panel["gridPos"]
            assert place["w"] > 0
            assert place["x"] + place["w"] <= WIDTH, panel.get("title")
    text = json.dumps(build.BOARDS["overview"](edition), ensure_ascii=False)
    for name in edition.indicators:
        assert edition.title(name) in text
    assert "'multimedia'" not in text


def test_names_of_areas_need_no_indicator_that_may_be_off(edition: Edition) -> None:
    """Tables and lists of schools and districts: by name, whichever indicators are judged."""
    boards = [make(edition) for make in build.BOARDS.values()]
    asked = [one for board in boards for one in board["templating"]["list"]]
    panels = [panel for board in boards for panel in board["panels"]]
    asked += [one for panel in panels for one in panel.get("targets", ())]
    named = [one["query"] for one in asked if re.search('"(label|shown)"', one.get("query", ""))]
    assert len(named) > 10
    assert [text for text in named if '"indicator" =' in text] == []


def test_the_alert_of_slow_lines_is_of_the_threshold(edition: Edition) -> None:
    rule = next(rule for rule in alerts.rules(edition) if rule.uid == "schoolpulse-line-slow")
    assert "$A < 97 " in rule.condition
    assert "100" in rule.says.of(edition.lang)

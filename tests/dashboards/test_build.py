"""The boards as built: no drift, names of the schema only, nothing of one installation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agent.common.vocabulary.words import LANGS, Lang
from collector.schema import MEASUREMENTS
from dashboards import alerts, build, influxql
from dashboards.board import queries
from dashboards.edition import Edition

BOARDS = [(name, lang) for name in build.BOARDS for lang in LANGS]


def test_committed_boards_are_what_the_source_builds() -> None:
    committed = {
        str(path.relative_to(build.BUILT)): path.read_bytes() for path in build.BUILT.rglob("*.*")
    }
    assert committed == build.files(), "run: schoolpulse dashboards build --out dashboards/built"


@pytest.mark.parametrize(("name", "lang"), BOARDS)
def test_every_panel_says_what_it_shows_and_what_to_do(name: str, lang: Lang) -> None:
    for panel in build.BOARDS[name](Edition(lang))["panels"]:
        if panel["type"] in ("row", "text"):
            continue
        assert panel["title"]
        assert len(panel["description"]) > 10
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["noValue"]
        assert defaults["unit"] or panel["type"] == "geomap"


@pytest.mark.parametrize(("name", "lang"), BOARDS)
def test_queries_name_only_what_the_schema_holds(name: str, lang: Lang) -> None:
    asked = list(queries(build.BOARDS[name](Edition(lang))))
    assert asked or name == "runbook"
    for query in asked:
        asks = [MEASUREMENTS[found] for found in re.findall(r'FROM "(\w+)"', query.text)]
        assert asks
        assert {query.retention} == {measurement.retention for measurement in asks}
        names = influxql.names(query.text) - {measurement.name for measurement in asks}
        assert names <= {name for one in asks for name in (*one.fields, *one.tags)}


@pytest.mark.parametrize(("name", "lang"), BOARDS)
def test_nothing_of_one_installation_is_inside(name: str, lang: Lang) -> None:
    text = json.dumps(build.BOARDS[name](Edition(lang)))
    assert not re.search(r"https?://|localhost|\d+\.\d+\.\d+\.\d+", text)
    uids = set(re.findall(r'"uid": "([^"]*)"', text))
    assert uids <= {"${evidence}", "${telemetry}", "-- Mixed --", f"schoolpulse-{name}-{lang}"}
    board = build.BOARDS[name](Edition(lang))
    assert "id" not in board
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.parametrize(("name", "lang"), BOARDS)
def test_panels_do_not_overlap(name: str, lang: Lang) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in build.BOARDS[name](Edition(lang))["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not taken & cells
        taken |= cells


@pytest.mark.parametrize(("name", "lang"), BOARDS)
def test_names_alone_are_never_shown_as_a_list(name: str, lang: Lang) -> None:
    """A table with nothing to tell must not show what its second query knows: all areas."""
    for panel in build.BOARDS[name](Edition(lang))["panels"]:
        steps = {one["id"]: one["options"] for one in panel.get("transformations", ())}
        if "configFromData" not in steps:
            continue
        assert steps["filterByValue"]["type"] == "exclude"
        assert steps["filterByValue"]["filters"][0]["fieldName"] == "shown"
        assert {"area", "shown", "code"} <= set(steps["organize"]["excludeByName"])


def test_a_link_carries_any_name_of_a_room() -> None:
    links = re.findall(r"var-room=[^&\"]*", json.dumps(build.BOARDS["school"](Edition("zh"))))
    assert set(links) == {"var-room=${__value.raw:percentencode}"}


def test_an_alert_of_the_platform_links_to_no_school() -> None:
    for group in alerts.groups(Edition("zh"), str):
        for rule in group["rules"]:
            passes = "$labels.school" in rule["annotations"]["board"]
            assert passes == (group["name"] == "schoolpulse-schools")


def test_unknown_names_are_refused() -> None:
    with pytest.raises(influxql.SchemaError, match="no field"):
        influxql.latest("indicator", {"share": "x"}, {})
    with pytest.raises(influxql.SchemaError, match="neither tag nor field"):
        influxql.latest("indicator", {"all": "x"}, {"country": "1"})
    with pytest.raises(influxql.SchemaError, match="no measurement"):
        influxql.series("indicators", {"all": "x"}, {})
    with pytest.raises(influxql.SchemaError, match="no tag"):
        influxql.latest("indicator", {"name": "x"}, {}, ("room",))
    with pytest.raises(influxql.SchemaError, match="every row has: presence"):
        influxql.latest("device_day", {"missing": "x"}, {}, ("device",))


def test_command_writes_the_same_files(tmp_path: Path) -> None:
    assert {path.read_bytes() for path in build.write(tmp_path)} == set(build.files().values())

"""Settings of the city side that would change the figure without a word."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from agent.common.settings import SettingsError
from agent.common.vocabulary.indicators import INDICATORS
from collector import indicator_settings as rows
from collector.config import Figure, SchoolType, load
from collector.roster.sheets.words import SCHOOL_TYPES


@pytest.mark.parametrize(
    "line",
    [
        'required = ["computer", "projector"]',  # what no room's day holds: all are contradicted
        "required = []",
        'types = ["小学", "中学"]',
        "types = []",
        "open_days = 0",
        "calendar_days = 0",
        "threshold_mbps = -10.0",
        "tolerance = 97.0",
        "seats_share = 0.0",
        "min_tests = 0",
        "min_room_days = 0",
        "inspection_months = -1",
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_its_name(tmp_path: Path, line: str) -> None:
    file = tmp_path / "collector.toml"
    file.write_text(f"[figure]\n{line}\n", "utf-8")
    with pytest.raises(SettingsError, match=rf"figure\.{line.split()[0]}") as told:
        load(str(file))
    assert str(file) in str(told.value)


def test_the_defaults_stand() -> None:
    assert load(None)[0].figure == Figure()


def test_the_types_are_those_of_the_register() -> None:
    assert set(get_args(SchoolType)) == set(SCHOOL_TYPES.values())


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[figure.indicators.line_100]\nthreshold = 1", "figure.indicators.line_100"),
        ("[figure.indicators]\nline_100 = 3", "figure.indicators.line_100"),
        ('[figure.indicators.line_50]\nrule = "line"', "figure.indicators.line_50.threshold_mbps"),
        ("[figure.indicators.speed]", "figure.indicators.speed"),
        ('[figure.indicators.B]\nrule = "line"\nthreshold_mbps = 2', "figure.indicators.B"),
        ("[figure.indicators.line]\nthreshold_mbps = 100", "figure.indicators.line.threshold_mbps"),
        ('[figure.indicators.multimedia]\nrule = "line"', "figure.indicators.multimedia.rule"),
        (
            "[figure.indicators]\nmultimedia.on = false\nline.on = false\ncomputer_room.on = false",
            "figure.indicators",
        ),
    ],
)
def test_an_indicator_that_makes_no_sense_is_refused_by_its_key(
    tmp_path: Path, text: str, key: str
) -> None:
    assert key in _refused(tmp_path, text)


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"value": "90"}, "figure.targets[0].value"),
        ({"year": "26"}, "figure.targets[0].year"),
        ({"indicator": '"lines"'}, "figure.targets[0].indicator"),
        ({"threshold_mbps": None}, "figure.targets[0].threshold_mbps"),
        ({"indicator": '"multimedia"'}, "figure.targets[0].threshold_mbps"),
        ({"document": '""'}, "figure.targets[0].document"),
        ({"document": None}, "figure.targets[0]"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused_by_its_key(
    tmp_path: Path, changed: dict[str, str | None], key: str
) -> None:
    assert key in _refused(tmp_path, _target_row(changed))


def test_two_target_rows_of_one_year_are_refused(tmp_path: Path) -> None:
    assert "figure.targets[1]" in _refused(tmp_path, _target_row({}) + _target_row({}))


def test_an_indicator_joins_the_default_ones_and_one_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    text = "[figure.indicators]\nline_100 = {}\ncomputer_room = { on = false }\n"
    own = '[figure.indicators.fifty]\nrule = "line"\nthreshold_mbps = 50\nzh = "五十兆"\n'
    file.write_text(text + own, "utf-8")
    chosen = load(str(file))[0].figure
    assert list(chosen.indicators) == ["multimedia", "line", "line_100", "fifty"]
    titles = [rows.title_of(n, row, 10.0).zh for n, row in chosen.indicators.items()]
    assert titles[1:] == ["10M 以上带宽接入比例", "100M 以上带宽接入比例", "五十兆"]
    assert tuple(Figure().indicators) == INDICATORS


def test_a_target_joins_the_default_ones_and_replaces_that_of_its_year(tmp_path: Path) -> None:
    file = tmp_path / "collector.toml"
    old = {"year": "2020", "document": '"《全名》"', "threshold_mbps": "10"}
    file.write_text(_target_row({}) + _target_row(old), "utf-8")
    found = load(str(file))[0].figure.targets
    assert len(found) == len(rows.DEFAULT_TARGETS) + 1
    assert [row.document for row in found if row.indicator == "line"] == ["《全名》", "《文》"]


@pytest.mark.parametrize("part", ["3/2", "0/2", "1/0", "2", "", "1/2/3", "a/b"])
def test_a_part_that_there_is_not_is_refused_by_its_key(tmp_path: Path, part: str) -> None:
    assert "keeper.part" in _refused(tmp_path, f'[keeper]\npart = "{part}"')


def test_a_part_is_read(tmp_path: Path) -> None:
    path = tmp_path / "collector.toml"
    path.write_text('[keeper]\npart = "2/4"', encoding="utf-8")
    assert load(str(path))[0].keeper.part == "2/4"


def _refused(tmp_path: Path, text: str) -> str:
    file = tmp_path / "collector.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as told:
        load(str(file))
    assert str(file) in str(told.value)
    return str(told.value)


def _target_row(changed: dict[str, str | None]) -> str:
    row = {
        "indicator": '"line"', "threshold_mbps": "100", "document": '"《文》"', "year": "2027",
        "value": "0.9",
    } | changed  # fmt: skip
    lines = [f"{key} = {value}" for key, value in row.items() if value is not None]
    return "\n".join(["[[figure.targets]]", *lines, ""])

"""Settings of the city side that would change the figure without a word."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from agent.common.settings import SettingsError
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

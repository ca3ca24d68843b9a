"""Tables for a terminal of a certain width."""

from __future__ import annotations

import pytest

from agent.common.tables import NONE, fitted, lines, moment, width, zoned

ROWS = [("种类", "名称", "接口"), ("投影机", "EPSON PJ", "HDMI-A-1"), ("麦克风", "—", "—")]


def test_chinese_stands_in_line() -> None:
    assert lines(ROWS)[1].index("EPSON") == lines(ROWS)[0].index("名称") - 1  # one wide letter more


def test_a_wide_terminal_shows_one_line_a_row() -> None:
    assert fitted(ROWS, 80) == lines(ROWS)


@pytest.mark.parametrize("columns", [6, 16, 24])
def test_what_does_not_fit_stands_below_with_its_heading(columns: int) -> None:
    shown = fitted(ROWS, columns)
    tops = [line for line in shown if not line.startswith("    ")]
    assert all(width(line) <= columns for line in tops)
    assert shown[2].endswith("接口: HDMI-A-1")
    assert len(shown) == 4  # nothing is said of the microphone's empty cells


def test_a_time_with_its_zone() -> None:
    assert zoned(0) == f"{moment(0)} +08" == "1970-01-01 08:00:00 +08"
    assert zoned(None) == NONE

"""Words, verdicts, titles from the threshold, targets: one table each, whole in both languages."""

from __future__ import annotations

from fractions import Fraction
from typing import get_args

import pytest

from agent.common import language
from agent.common.vocabulary import (
    devices,
    indicators,
    lines,
    reasons,
    schools,
    states,
    targets,
    thresholds,
    verdicts,
)
from agent.common.vocabulary.words import Words, combined, listed, word
from collector import config
from collector.compliance.model import Verdict
from collector.inventory.differences import Found
from collector.keeper.state import Event, Presence, Working

TABLES = {
    f"{module.__name__.rpartition('.')[2]}.{name}": table
    for module in (devices, indicators, lines, reasons, schools, states, verdicts)
    for name, table in vars(module).items()
    if isinstance(table, dict) and table and isinstance(next(iter(table.values())), Words)
}


@pytest.mark.parametrize("name", TABLES)
def test_every_word_stands_in_both_languages(name):
    for code, words in TABLES[name].items():
        assert words.zh.strip(), code
        assert words.en.strip(), code
        assert words.en.isascii(), code


def test_the_tables_hold_what_can_be_said_and_no_more():
    for table in (verdicts.VERDICTS, verdicts.SHORT, verdicts.MEANINGS):
        assert tuple(table) == tuple(Verdict)
    assert tuple(config.Figure().indicators) == indicators.INDICATORS
    assert tuple(indicators.SHORT) == tuple(indicators.KNOWN)
    assert set(states.PRESENCES) == set(get_args(Presence))
    assert set(states.WORKING) == set(get_args(Working))
    assert set(states.EVENTS) == {*get_args(Event), "withdrawn"}
    assert set(states.DIFFERENCES) == set(get_args(Found))
    assert set(schools.TYPES) == set(get_args(config.SchoolType))


def test_a_narrow_column_has_the_beginning_of_the_whole_word():
    """So a reader finds the one in the other."""
    for code, words in verdicts.SHORT.items():
        assert all(char in verdicts.VERDICTS[code].zh for char in words.zh)
        assert verdicts.VERDICTS[code].en.startswith(words.en.rstrip("."))


@pytest.mark.parametrize(
    ("mbps", "zh", "en"),
    [
        (10.0, "10M 以上带宽接入比例", "Schools with a line of 10 Mbit/s or more"),
        (100.0, "100M 以上带宽接入比例", "Schools with a line of 100 Mbit/s or more"),
        (2.5, "2.5M 以上带宽接入比例", "Schools with a line of 2.5 Mbit/s or more"),
        (1_000_000.0, "1000000M 以上带宽接入比例", "Schools with a line of 1000000 Mbit/s or more"),
    ],
)
def test_a_title_is_made_from_the_threshold(mbps, zh, en):
    assert indicators.title("line", mbps) == (zh, en)
    assert indicators.title("multimedia", mbps) == indicators.title("multimedia")


def test_the_defaults_are_those_of_the_settings():
    rules = config.Figure()
    assert rules.threshold_mbps == thresholds.THRESHOLD_MBPS
    assert rules.tolerance == thresholds.TOLERANCE


@pytest.mark.parametrize(("mbps", "limit"), [(10, 9.7), (100, 97.0), (1000, 970.0), (0.1, 0.097)])
def test_the_limit_is_the_decimal_that_people_compute(mbps, limit):
    assert thresholds.limit(mbps) == limit


def test_a_threshold_without_a_row_has_no_target():
    assert targets.target("line", 2026, 10.0) == targets.TARGETS[2]
    assert targets.target("line", 2026, Fraction(10)) == targets.TARGETS[2]
    assert targets.target("line", 2026, 100.0) is None
    assert targets.target("multimedia", 2026, 100.0) == targets.TARGETS[0]
    assert targets.remark(None, 2026) == ("没有目标", "no target")


def test_the_language_in_force_and_codes_that_nobody_knows():
    language.choose("zh")
    assert str(verdicts.VERDICTS["short"]) == f"{verdicts.VERDICTS['short']}" == "未配备"
    language.choose("en")
    assert word(verdicts.VERDICTS, "short") == "short"
    assert word(verdicts.VERDICTS, "perfect") == "perfect"


def test_several_codes_together():
    table = {"a": Words("甲", "A"), "b": Words("乙", "B"), "c": Words("丙", "C")}
    assert dict(combined(table, ("a", "b", "c"))) == {
        "a": ("甲", "A"), "b": ("乙", "B"), "c": ("丙", "C"), "a, b": ("甲、乙", "A, B"),
        "a, c": ("甲、丙", "A, C"), "b, c": ("乙、丙", "B, C"),
        "a, b, c": ("甲、乙、丙", "A, B, C"),
    }  # fmt: skip
    assert listed([]) == ("", "")

"""Every word of a board, an alert and an empty panel is in the board's language."""

from __future__ import annotations

import json
import re

import pytest

from agent.common.vocabulary.words import LANGS, Lang
from board_words import foreign, said
from dashboards import alerts, build
from dashboards.edition import Edition

BOARDS = [(name, lang) for name in build.BOARDS for lang in LANGS]
#: Units whose words Grafana itself writes in English, and times in its reader's language.
_ENGLISH_UNITS = {"dateTimeFromNow", "h", "m", "s", "ms", "d", "cpm", "dtdurations", "short"}


@pytest.mark.parametrize(("name", "lang"), BOARDS)
def test_no_word_of_a_board_is_in_the_other_language(name: str, lang: Lang) -> None:
    texts = list(said(build.BOARDS[name](Edition(lang))))
    assert len(texts) > 8
    assert [(where, text) for where, text in texts if foreign(text, lang)] == []


@pytest.mark.parametrize("lang", LANGS)
def test_no_word_of_an_alert_is_in_the_other_language(lang: Lang) -> None:
    for rule in alerts.rules(Edition(lang)):
        text = re.sub(r"\{\{.*?\}\}", " ", rule.says.of(lang))
        assert foreign(f"{rule.title.of(lang)} {text}", lang) == []


def test_a_word_of_the_other_language_is_found() -> None:
    board = build.BOARDS["equipment"](Edition("zh"))
    board["panels"][1]["fieldConfig"]["defaults"]["noValue"] = "没有 data"
    assert [foreign(text, "zh") for _, text in said(board) if foreign(text, "zh")] == [["data"]]
    assert foreign("no data（没有）", "en") == ["（没有）"]
    assert foreign("用 schoolpulse doctor 看，低于 9.7 Mbit/s", "zh") == []


@pytest.mark.parametrize(("name", "lang"), BOARDS)
def test_no_unit_speaks_a_language_of_its_own(name: str, lang: Lang) -> None:
    units = set(re.findall(r'"unit": "(\w+)"', json.dumps(build.BOARDS[name](Edition(lang)))))
    units |= set(re.findall(r'"id": "unit", "value": "(\w+)"',
                            json.dumps(build.BOARDS[name](Edition(lang)))))  # fmt: skip
    assert units & _ENGLISH_UNITS == set()


@pytest.mark.parametrize(("name", "lang"), BOARDS)
def test_a_zero_and_an_absence_look_different(name: str, lang: Lang) -> None:
    """A number counted over rows has a question that brings its 0; without it stand words."""
    for panel in build.BOARDS[name](Edition(lang))["panels"]:
        empty = panel.get("fieldConfig", {}).get("defaults", {}).get("noValue", "")
        assert not re.search(r"\b0\b", empty), panel["title"]
        for target in panel.get("targets", ()):
            if panel["type"] == "stat" and re.match(r'SELECT (sum|count)\("n"\)', target["query"]):
                assert "* 0" in target["query"] or "room_day" in target["query"]


@pytest.mark.parametrize("name", build.BOARDS)
def test_no_line_or_word_is_black_on_a_dark_board(name: str) -> None:
    text = json.dumps(build.BOARDS[name](Edition("zh"))).lower()
    assert not re.search(r'"#(000000|000|111111|222222)"|"black"', text)

"""Help of both programs fits a terminal of 80 columns, in both languages."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from agent import cli as agent
from agent.common import language
from agent.common.help_text import Parser, wrapped
from agent.common.language import Lang
from agent.common.tables import width
from collector import cli as city

COMMANDS = [
    (program, name)
    for program, commands in (("schoolpulse-agent", agent), ("schoolpulse", city))
    for name in commands.COMMANDS
]


def test_chinese_takes_two_columns() -> None:
    text = "写到哪个文件夹（./var/demo，每次清空），然后结束"
    lines = wrapped(text, 20)
    assert "".join(lines) == text
    assert all(width(line) <= 20 for line in lines)
    assert not any(line[0] in "，）" for line in lines)
    assert wrapped("one two  three", 8) == ["one two", "three"]
    assert wrapped("", 8) == [""]


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser and all below it."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from parsers(below)


@pytest.mark.parametrize("lang", language.LANGS)
@pytest.mark.parametrize(("program", "name"), COMMANDS)
def test_help_fits_80_columns(program: str, name: str, lang: Lang, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    language.choose(lang)
    commands = agent.COMMANDS if program == "schoolpulse-agent" else city.COMMANDS
    parser = Parser(prog=f"{program} {name}")
    importlib.import_module(commands[name].module).add_arguments(parser)
    for each in parsers(parser):
        text = each.format_help()
        assert [line for line in text.splitlines() if width(line) > 80] == []
        undocumented = [a.option_strings for a in each._actions if not a.help and not a.choices]
        assert undocumented == [], each.prog

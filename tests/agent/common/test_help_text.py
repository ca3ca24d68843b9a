"""Help of both programs fits a terminal of 80 columns, in both languages."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from agent import cli as agent
from agent.common import language
from agent.common.help_text import wrapped
from agent.common.language import Lang
from agent.common.parser import Parser
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


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [
        ([], "缺少参数：命令"),
        (["two"], "参数 命令：不能是 'two'，可选 'one'"),
        (["one", "--count", "x"], "参数 --count：写得不对：'x'"),
        (["one", "--count"], "参数 --count：后面缺一个值"),
        (["one", "--count", "1", "--none"], "参数 --none：不能与 --count 同时使用"),
        (["one", "--some"], "参数 --some：后面至少要有一个值"),
        (["one", "--other"], "没有这样的参数：--other"),
    ],
)
def test_wrong_words_are_named_in_chinese(argv: list[str], wanted: str, capsys: Any) -> None:
    parser = Parser(prog="p")
    one = parser.add_subparsers(required=True, metavar="命令").add_parser("one", help="做一件事")
    either = one.add_mutually_exclusive_group()
    either.add_argument("--count", type=int)
    either.add_argument("--none", action="store_true")
    one.add_argument("--some", nargs="+")
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(argv)
    assert f"错误: {wanted}\n" in capsys.readouterr().err
    assert "做一件事" in one.format_help().split("选项")[0]


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

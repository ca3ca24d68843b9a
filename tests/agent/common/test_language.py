"""Which language is spoken: what was asked, then the system's; documents only what was asked."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.cli import COMMANDS
from agent.common import language
from agent.common.command_line import main
from agent.common.language import Choice, decide, say, system_language


@pytest.mark.parametrize(
    ("option", "variable", "config", "system", "wanted"),
    [
        ("en", "zh", "zh", "zh_CN.UTF-8", Choice("en", "en")),
        (None, "en", "zh", "zh_CN.UTF-8", Choice("en", "en")),
        (None, None, "en", "zh_CN.UTF-8", Choice("en", "en")),
        (None, "", "", "en_US.UTF-8", Choice("en", "zh")),
        (None, None, "zh", "en_US.UTF-8", Choice("zh", "zh")),
        (None, None, None, "zh_CN.UTF-8", Choice("zh", "zh")),
        (None, None, None, "", Choice("zh", "zh")),
        ("fr", "x", 5, "de_DE", Choice("en", "zh")),  # nonsense asks for nothing
    ],
)
def test_the_strongest_that_asks_decides(
    option: Any, variable: Any, config: Any, system: str, wanted: Choice
) -> None:
    assert decide(option, variable, config, system=system) == wanted


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, "zh"),
        ({"LANG": ""}, "zh"),
        ({"LANG": "C"}, "zh"),
        ({"LANG": "C.UTF-8"}, "zh"),
        ({"LANG": "POSIX"}, "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "bo_CN"}, "en"),
        ({"LANG": "en_US", "LC_MESSAGES": "zh_CN"}, "zh"),
        ({"LANG": "en_US", "LC_MESSAGES": "zh_CN", "LC_ALL": "de_DE"}, "en"),
        ({"LANG": "en_US", "LC_ALL": "C"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "fr:en_GB:zh"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "fr"}, "zh"),
        ({"LANG": "C", "LANGUAGE": "en"}, "zh"),  # gettext too ignores it then
    ],
)
def test_the_locale_of_posix(environ: dict[str, str], wanted: str) -> None:
    assert decide(system=system_language(environ)).terminal == wanted


@pytest.mark.parametrize(("langid", "wanted"), [(0x0804, "zh"), (0x0404, "zh"), (0x0409, "en")])
def test_the_language_of_windows(monkeypatch: Any, langid: int, wanted: str) -> None:
    kernel32 = SimpleNamespace(GetUserDefaultUILanguage=lambda: langid)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel32), raising=False)
    assert decide(system=system_language({"LANG": "zh_CN"})).terminal == wanted


def test_a_document_has_its_own_language_in_its_own_thread() -> None:
    language.choose("en", "zh")
    beside: list[str] = []
    with language.for_documents():
        other = threading.Thread(target=lambda: beside.append(say("甲", "a")))
        other.start()
        other.join()
        assert say("甲", "a") == "甲"
    assert (say("甲", "a"), beside) == ("a", ["a"])
    assert language.of_documents() == "zh"


@pytest.fixture
def words(monkeypatch: Any, tmp_path: Path, capsys: Any) -> Any:
    """What `schoolpulse-agent` says, on an English system with this config."""
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.setenv("SCHOOLPULSE_DATA", str(tmp_path / "data"))
    default = tmp_path / "agent.toml"

    def _words(*argv: str, config: str = "") -> tuple[int, str]:
        default.write_text(config, encoding="utf-8")
        code = main("schoolpulse-agent", COMMANDS, argv, settings=default)
        seen = capsys.readouterr()
        return code, seen.out + seen.err

    return _words


def test_the_config_decides_before_the_locale(words: Any, tmp_path: Path) -> None:
    assert "the agent has not run here" in words("status")[1]
    assert "还没有运行过" in words("status", config='lang = "zh"')[1]
    other = tmp_path / "other.toml"
    other.write_text('lang = "zh"\n', encoding="utf-8")
    for given in (["--config", str(other)], [f"--config={other}"], ["--conf", str(other)]):
        assert "还没有运行过" in words("status", *given)[1]
        assert "the agent has not run here" in words("status", *given, "--lang", "en")[1]


def test_a_config_with_an_impossible_name_is_reported_by_the_command(words: Any) -> None:
    code, said = words("status", "--config", "x" * 300)
    assert (code, "cannot read the config file" in said) == (2, True)


@pytest.mark.skipif(sys.platform == "win32", reason="files of POSIX")
def test_a_config_that_can_be_read_once_is_left_to_the_command(
    words: Any, monkeypatch: Any
) -> None:
    """As of `--config <(...)`: whoever peeks into a pipe takes the settings from the command."""
    monkeypatch.delenv("SCHOOLPULSE_DATA")
    reader, writer = os.pipe()
    try:
        os.write(writer, b'data = "/piped"\n')
        os.close(writer)
        assert "/piped" in words("status", "--config", f"/dev/fd/{reader}")[1]
    finally:
        os.close(reader)


@pytest.mark.parametrize(
    "config", ["lang = [", 'lang = "zh"\n"', "lang = 5", "lang = ['zh']", 'lang = "fr"']
)
def test_a_broken_config_leaves_the_choice_to_the_locale(words: Any, config: str) -> None:
    with pytest.raises(SystemExit):
        words("status", "--help", config=config)
    assert language.chosen() == "en"


def test_a_language_in_the_config_that_we_do_not_speak_is_refused(
    words: Any, tmp_path: Path
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text('lang = "fr"', encoding="utf-8")
    code, said = words("status", "--config", str(file))
    assert code == 2
    assert str(file) in said
    assert "lang" in said


def test_a_variable_that_names_no_language_is_refused(words: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("SCHOOLPULSE_LANG", "zh_CN")
    code, said = words("status")
    assert code == 2
    assert "SCHOOLPULSE_LANG=zh_CN: no such language; set it to zh or en" in said


def test_the_option_is_taken_at_every_level(capsys: Any) -> None:
    from collector.cli import COMMANDS as CITY

    for argv in (
        ["--lang", "en", "roster", "history"],
        ["roster", "--lang", "en", "history"],
        ["roster", "history", "--lang=en"],
    ):
        with pytest.raises(SystemExit):
            main("schoolpulse", CITY, [*argv, "--help"])
        assert "settings file" in capsys.readouterr().out


def test_what_the_system_starts_is_not_stopped_by_a_wrong_variable(
    words: Any, monkeypatch: Any
) -> None:
    """A service that ends before it answers Windows is an error 1053 without a reason."""
    monkeypatch.setenv("SCHOOLPULSE_LANG", "fr")
    assert "use run here" in words("service")[1]


def test_a_resident_agent_logs_a_wrong_variable_and_goes_on(
    words: Any, monkeypatch: Any, caplog: Any, tmp_path: Path
) -> None:
    """Reports matter more than words: a unit file with zh_CN must not end them."""
    file = tmp_path / "agent.toml"
    file.write_text("", encoding="utf-8")
    monkeypatch.setenv("SCHOOLPULSE_LANG", "zh_CN")
    code, said = words("run", "--config", str(file))
    assert code == 2, "for the school code"
    assert "school" in said
    assert "SCHOOLPULSE_LANG" not in said
    assert 'language_unknown reason="SCHOOLPULSE_LANG=zh_CN' in caplog.text


def test_one_of_a_kind_is_named_as_one() -> None:
    assert [language.counted(count, "open day") for count in (0, 1, 2, 11)] == [
        "0 open days", "1 open day", "2 open days", "11 open days",
    ]  # fmt: skip

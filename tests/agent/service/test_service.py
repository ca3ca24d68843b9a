"""`install`: what is refused, why, and the fix. The Windows service is tried in tests/windows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent import service
from agent.cli import COMMANDS
from agent.common import language
from agent.common.command_line import main
from agent.service import words as service_words

SETTINGS = 'school = "9900000001"\n'


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    from agent import config

    monkeypatch.setenv("SCHOOLPULSE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("agent.service.service.UNIT", tmp_path / "no.service")
    monkeypatch.setattr("agent.service.program.check", lambda: None)
    monkeypatch.setattr("agent.commands.install._doctor", lambda: "")
    monkeypatch.setattr(config, "DEFAULT_FILE", tmp_path / "etc/agent.toml")
    file = tmp_path / "agent.toml"
    file.write_text(SETTINGS)
    return str(file)


def agent(*words: str) -> int:
    return main("schoolpulse-agent", COMMANDS, words)


def answering(monkeypatch: pytest.MonkeyPatch, install: Callable[[object, object], str]) -> None:
    """A system that lets `install` be tried."""
    monkeypatch.setattr(service, "check", lambda: None)
    monkeypatch.setattr(service, "install", install)


def failing(error: Exception) -> Callable[[object, object], str]:
    def install(_copies: object, _config: object) -> str:
        raise error

    return install


@pytest.mark.parametrize("code", [2, 5, 225, 1053, 1056, 1058, 1060, 1063, 1066, 1072, 1073, 1115])
def test_every_number_has_its_fix_in_both_languages(code: int) -> None:
    chinese = service_words.fix(code)
    language.choose("en")
    try:
        english = service_words.fix(code)
    finally:
        language.choose("zh")
    assert chinese
    assert english
    assert chinese != english


def test_only_a_refused_right_asks_for_an_administrator() -> None:
    rights = [code for code in range(1, 5000) if "管理员身份" in service_words.fix(code)]
    assert rights == [5]
    assert service_words.fix(4321) == ""


def test_without_systemd_the_fix_is_run(
    settings: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert agent("install", "--config", settings) == 2
    said = capsys.readouterr().err
    assert "没有 systemd；用 run" in said
    assert "管理员" not in said


def test_no_right_to_asks_for_root(
    settings: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, failing(PermissionError(13, "Permission denied", "/x")))
    assert agent("install", "--config", settings) == 2
    assert "root" in capsys.readouterr().err


def test_late_is_a_warning(
    settings: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    late = service.Late("StartService: … (1053)", service_words.fix(1053))
    answering(monkeypatch, failing(late))
    log = tmp_path / "install.log"
    assert agent("install", "--config", settings, "--log", str(log)) == 0
    said = capsys.readouterr().out
    assert "sc start SchoolPulseAgent" in said
    assert log.read_text("utf-8").strip() == said.strip()


def test_the_log_has_why_settings_are_refused(settings: str, tmp_path: Path) -> None:
    Path(settings).write_text('school = "12"\n')
    log = tmp_path / "install.log"
    assert agent("install", "--config", settings, "--log", str(log)) == 2
    assert "不是 10 位数字" in log.read_text("utf-8")


def test_a_log_that_cannot_be_written_stops_nothing(
    settings: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answering(monkeypatch, lambda _copies, _config: "the.service")
    assert agent("install", "--config", settings, "--log", str(tmp_path)) == 0
    said = capsys.readouterr()
    assert "the.service" in said.out
    assert str(tmp_path) in said.err

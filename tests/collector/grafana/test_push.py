"""`dashboards push` and `mute` against the replies of Grafana 9.3.2."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import grafana_emulator
from agent.common import command_line
from collector.cli import COMMANDS
from collector.roster.book import RegisterBook
from collector.roster.register import Register, School
from collector.roster.rows import rows_of
from dashboards import alert_rules, alerts, build
from dashboards.edition import Edition
from grafana_emulator import TOKEN, Emulator

TOMORROW = (dt.date.today() + dt.timedelta(days=1)).isoformat()


@pytest.fixture
def grafana() -> Iterator[Emulator]:
    with grafana_emulator.running() as server:
        yield server


def run(*words: str) -> int:
    return command_line.main("schoolpulse", COMMANDS, words)


def push(server: Emulator, *more: str, token: str = TOKEN) -> int:
    return run("dashboards", "push", "--url", server.url, "--token", token, *more)


def test_the_second_push_changes_nothing(grafana: Emulator) -> None:
    assert push(grafana, "--alerts") == 0
    assert set(grafana.boards) == {make(Edition("zh"))["uid"] for make in build.BOARDS.values()}
    assert set(grafana.rules) == {rule.uid for rule in alerts.rules(Edition("zh"))}
    assert grafana.folders["schoolpulse-zh"] == "校园脉搏"
    grafana.writes.clear()
    assert push(grafana, "--alerts") == 0
    assert grafana.writes == []


def test_rules_ask_the_data_sources_of_that_grafana(grafana: Emulator) -> None:
    push(grafana, "--alerts")
    asked = {part["datasourceUid"] for rule in grafana.rules.values() for part in rule["data"]}
    assert asked == {"e1", "t1", "__expr__"}


def test_messages_of_alerts_name_the_registers_schools(grafana: Emulator, tmp_path: Path) -> None:
    rows = rows_of(
        Register(schools={"2163000001": School("2163000001", "甲|小学\\", "630102", "小学", "x")})
    )
    RegisterBook(tmp_path / "register.db").import_rows(rows)
    file = tmp_path / "collector.toml"
    file.write_text(f'data = "{tmp_path}"\n', "utf-8")
    assert push(grafana, "--alerts", "--config", str(file)) == 0
    said = {uid: rule["annotations"]["summary"] for uid, rule in grafana.rules.items()}
    named = {rule.uid for rule in alert_rules.of_schools(Edition("zh"))}
    assert {uid for uid, text in said.items() if "|2163000001=甲/小学/ 2163000001" in text} == named
    out = tmp_path / "out"
    assert run("dashboards", "build", "--out", str(out), "--config", str(file)) == 0
    assert "2163000001=甲/小学/" in (out / "en/rules.yaml").read_text("utf-8")


def test_a_dry_run_tells_and_changes_nothing(
    grafana: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(grafana, "--dry-run", "--alerts") == 0
    assert grafana.writes == []
    assert "新建  全市总览" in capsys.readouterr().out


def test_a_foreign_board_of_the_same_uid_is_told_and_kept(grafana: Emulator) -> None:
    theirs = {"data": {"uid": "schoolpulse-lines-zh", "title": "theirs", "panels": []}}
    grafana.boards["schoolpulse-lines-zh"] = [{**theirs, "message": ""}]
    assert push(grafana) == 1
    assert grafana.boards["schoolpulse-lines-zh"][-1]["data"]["title"] == "theirs"
    assert push(grafana, "--force") == 0


def test_another_hands_edit_is_told_and_kept(
    grafana: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    push(grafana)
    grafana.edit("schoolpulse-lines-zh", "我的标题")
    grafana.writes.clear()
    assert push(grafana) == 1
    assert grafana.writes == []
    out = capsys.readouterr().out
    assert "有人改过  线路" in out
    assert "我的标题" in out
    assert "--force" in out
    assert push(grafana, "--force") == 0
    assert grafana.writes == ["POST /dashboards/db"]
    grafana.writes.clear()
    assert push(grafana) == 0
    assert grafana.writes == []


def test_an_older_board_of_ours_is_brought_up_to_date(grafana: Emulator) -> None:
    push(grafana)
    versions = grafana.boards["schoolpulse-school-zh"]
    versions.append({"data": {**versions[0]["data"], "title": "旧"},
                     "message": "schoolpulse dashboards push 0123456789abcdef"})  # fmt: skip
    assert push(grafana) == 0
    assert versions[-1]["data"]["title"] == "学校"


def test_others_boards_and_provided_ones_are_left_alone(grafana: Emulator) -> None:
    grafana.boards["mine"] = [{"data": {"uid": "mine", "panels": []}, "message": ""}]
    push(grafana)
    grafana.edit("schoolpulse-lines-zh", "x")
    grafana.provisioned.add("schoolpulse-lines-zh")
    assert push(grafana, "--force") == 1
    assert len(grafana.boards["schoolpulse-lines-zh"]) == 2
    assert len(grafana.boards["mine"]) == 1


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda server: setattr(server, "version", "8.5.1"), "Grafana 8.5.1"),
        (lambda server: server.sources.pop(), "telemetry"),
        (lambda server: server.sources.clear(), "evidence、telemetry"),
    ],
)
def test_what_is_wrong_is_named(
    grafana: Emulator, capsys: pytest.CaptureFixture[str], spoil: object, said: str
) -> None:
    assert callable(spoil)
    spoil(grafana)
    assert push(grafana) == 2
    assert said in capsys.readouterr().err
    assert grafana.writes == []


def test_a_wrong_token_and_a_wrong_address_are_named(
    grafana: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    assert push(grafana, token="wrong") == 2
    assert "令牌" in capsys.readouterr().err
    assert run("dashboards", "push", "--url", "grafana", "--token", "x") == 2
    assert "http://" in capsys.readouterr().err
    assert run("dashboards", "push", "--url", "http://127.0.0.1:1", "--token", "x") == 2
    assert "连不上" in capsys.readouterr().err


def test_settings_that_are_wrong_are_found_before_grafana_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "collector.toml"
    wrong.write_text("[figure]\nthreshold_mbps = 0\n")
    words = ["--url", "http://127.0.0.1:1", "--token", "x", "--config", str(wrong)]
    assert run("dashboards", "push", *words) == 2
    assert "threshold_mbps" in capsys.readouterr().err


@pytest.fixture
def settings(tmp_path: Path) -> str:
    """A collector's settings, with a register of one school."""
    school = School("9900000001", "示例小学", "630102", "小学", "630102")
    rows = rows_of(Register(schools={school.code: school}))
    RegisterBook(tmp_path / "register.db").import_rows(rows, who="test")
    file = tmp_path / "collector.toml"
    file.write_text(f'data = "{tmp_path}"\n', "utf-8")
    return str(file)


def mute(server: Emulator, settings: str, *words: str) -> int:
    return run("mute", *words, "--config", settings, "--url", server.url, "--token", TOKEN)


def test_silences_follow_the_book(grafana: Emulator, settings: str) -> None:
    theirs = {"id": "x", "createdBy": "admin", "status": {"state": "active"}, "matchers": []}
    grafana.silences.append(theirs)
    add = ("add", "9900000001", "--until", TOMORROW, "--reason", "装修")
    assert mute(grafana, settings, *add) == 0
    (ours,) = [row for row in grafana.silences if row["createdBy"] == "schoolpulse"]
    assert ours["matchers"] == [
        {"name": "school", "value": "9900000001", "isRegex": False, "isEqual": True}
    ]
    grafana.writes.clear()
    assert mute(grafana, settings, "list") == 0
    assert grafana.writes == []
    assert mute(grafana, settings, "end", "9900000001") == 0
    assert [row["status"]["state"] for row in grafana.silences] == ["active", "expired"]


def test_mutes_are_kept_with_who_and_why(settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("mute", "add", "9900000001", "--until", TOMORROW, "--reason", "装修")
    assert run(*words, "--config", settings) == 0
    assert "Grafana 还不知道" in capsys.readouterr().out
    assert run("mute", "list", "--json", "--config", settings) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["school"] == "9900000001"
    assert row["reason"] == "装修"
    assert row["by"]


def test_a_school_that_is_not_there_and_a_day_that_has_passed_are_refused(settings: str) -> None:
    tail = ("--reason", "x", "--config", settings)
    assert run("mute", "add", "9900000009", "--until", TOMORROW, *tail) == 2
    assert run("mute", "add", "9900000001", "--until", "2020-01-01", *tail) == 2


def test_boards_do_not_follow_the_terminal(
    grafana: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    assert push(grafana, "--alerts") == 0
    assert set(grafana.folders) >= {"schoolpulse-zh"}
    assert "create  全市总览" in capsys.readouterr().out
    assert push(grafana, "--lang", "en") == 0
    assert grafana.folders["schoolpulse-en"] == "SchoolPulse"


def test_every_alert_of_a_school_bears_the_label_that_a_mute_silences() -> None:
    """A silence matches by `school`: a rule that does not group by it would ring on."""
    rules = alert_rules.of_schools(Edition("zh"))
    assert rules
    for rule in rules:
        for question in rule.asked:
            grouped = question.text.rpartition("GROUP BY")[2]
            assert re.search(r"\bschool\b", grouped), (rule.uid, question.text)

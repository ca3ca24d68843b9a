"""Settings: checked before anything starts, and errors that name the key and the fix."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agent.common import secret_files
from agent.common.settings import SettingsError
from agent.config import Config, Line, load
from agent.doctor import secrets
from agent.probes import PROBES
from agent.resident.place import lines_of, report_every, room_of
from agent.wire import LinePolicy, Policy


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("SCHOOLPULSE_")]:
        monkeypatch.delenv(name)


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "agent.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_defaults(tmp_path: Path) -> None:
    config, warnings = load(written(tmp_path, 'school = "0130000001"'))
    assert config.school == "0130000001"
    assert warnings == []
    assert config.probes.enabled == tuple(PROBES)
    assert config.devices == ()
    assert config.report_s is None


def test_all_from_the_file_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    monkeypatch.setenv("SCHOOLPULSE_BROKER_PASSWORD_FILE", str(secret))
    monkeypatch.setenv("SCHOOLPULSE_BROKER_PORT", "8883")
    monkeypatch.setenv("SCHOOLPULSE_REPORT_S", "60")
    config, _ = load(written(tmp_path, 'school = "9900000001"\n[broker]\nport = 1\ntls = true'))
    assert (config.broker.port, config.broker.password, config.broker.tls) == (8883, "s3cret", True)
    assert config.report_s == 60


def test_a_list_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHOOLPULSE_PROBES_ENABLED", "host, sound")
    config, _ = load(written(tmp_path, 'school = "9900000001"'))
    assert config.probes.enabled == ("host", "sound")


def test_a_wrong_value_of_the_environment_names_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHOOLPULSE_BROKER_PORT", "abc")
    with pytest.raises(SettingsError, match=r"SCHOOLPULSE_BROKER_PORT: broker\.port: 应为整数"):
        load(written(tmp_path, 'school = "9900000001"'))


@pytest.mark.parametrize("school", ["", "123", "99000000011", "99000000x1", "９９０００００００１"])
def test_a_school_that_is_no_code(tmp_path: Path, school: str) -> None:
    with pytest.raises(SettingsError, match="school"):
        load(written(tmp_path, f'school = "{school}"'))
    config, _ = load(written(tmp_path, f'school = "{school}"'), need_school=False)
    assert config.school == school


def test_a_school_without_quotes_is_told_to_have_them(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match='school = "…"'):
        load(written(tmp_path, "school = 9900000001"))


@pytest.mark.parametrize(
    "text", ["report_s = 4", "report_s = 'x'", "[outbox]\nlimit_bytes = 1", "broker = 3", "= 1"]
)
def test_values_that_cannot_be(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"agent\.toml"):
        load(written(tmp_path, f'school = "9900000001"\n{text}'))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[broker]\nport = 'x'", "broker.port: 应为整数，写的是文字"),
        ("[broker]\nprotocol = '4'", "broker.protocol: 没有 '4' 这个值，可选 5, 3.1.1"),
        ("report_s = 4", "report_s: 应为整数 >= 5"),
        ("broker = 3", "broker: 应为一组设置，写的是整数"),
    ],
)
def test_a_wrong_value_is_named_with_what_may_stand_there(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        load(written(tmp_path, f'school = "9900000001"\n{text}'))
    assert str(raised.value).endswith(f"agent.toml: {said}")


def test_a_missing_file_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--config"):
        load(str(tmp_path / "none.toml"))


def test_a_real_agent_cannot_be_told_to_be_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHOOLPULSE_SIMULATED", "true")
    _, warnings = load(written(tmp_path, 'school = "9900000001"\nsimulated = true'))
    assert any("simulated" in warning for warning in warnings)
    names = {field.name for field in msgspec.structs.fields(Config)}
    assert "simulated" not in names


def test_an_unknown_key_warns_with_the_nearest(tmp_path: Path) -> None:
    _, warnings = load(written(tmp_path, 'school = "9900000001"\nrom = "x"'))
    assert len(warnings) == 1
    assert "room" in warnings[0]


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nowhere"):
        load(str(tmp_path / "nowhere.toml"))


MACHINE = "ab" * 16
POLICY = Policy(
    v=1,
    school="9900000001",
    issued=0,
    report_s=60,
    lines=(LinePolicy(line="甲", server="http://c:1"), LinePolicy(line="乙", server="http://c:1")),
    rooms={MACHINE: "101", "LAB-*": "机房", "lab-02": "never: a pattern before it fits"},
    room_lines={"101": "甲", "机房": "乙", "201": "丙"},
)


@pytest.mark.parametrize(
    ("config", "policy", "machine", "hostname", "room"),
    [
        (Config(room="own"), POLICY, MACHINE, "lab-01", "101"),
        (Config(room="own"), POLICY, "cd" * 16, "lab-01", "机房"),
        (Config(room="own"), POLICY, "cd" * 16, "elsewhere", "own"),
        (Config(room="own"), None, MACHINE, "lab-01", "own"),
        (Config(), POLICY, MACHINE, "elsewhere", "101"),
        (Config(), None, MACHINE, "lab-01", ""),
    ],
)
def test_the_room(
    config: Config, policy: Policy | None, machine: str, hostname: str, room: str
) -> None:
    assert room_of(config, policy, machine, hostname) == room


def test_the_room_by_a_pattern_of_host_names() -> None:
    assert room_of(Config(), POLICY, "cd" * 16, "lab-02") == "机房"
    assert room_of(Config(), POLICY, "cd" * 16, "office") == ""


def test_the_line_of_the_room() -> None:
    assert [line.line for line in lines_of(Config(), POLICY, "机房")] == ["乙"]
    assert lines_of(Config(), POLICY, "") == ()  # two lines, and no room to choose by
    assert lines_of(Config(), POLICY, "201") == ()  # its line has no rules, so no server


def test_the_only_line_needs_no_room() -> None:
    one = msgspec.structs.replace(POLICY, lines=POLICY.lines[:1])
    assert [line.line for line in lines_of(Config(), one, "")] == ["甲"]
    assert lines_of(Config(), one, "机房") == ()  # the register gives this room another line


def test_own_line_settings_win() -> None:
    own = msgspec.convert(
        {"line": {"name": "乙", "server": "http://mine:2", "quiet_per_day": 0}}, Config
    )
    (line,) = lines_of(own, POLICY, "101")
    assert (line.line, line.server, line.quiet_per_day) == ("乙", "http://mine:2", 0)
    assert line.lesson_per_day == 1
    assert lines_of(own, None, "")[0].line == "乙"


def test_the_period() -> None:
    assert report_every(Config(), None) == 300
    assert report_every(Config(), POLICY) == 60
    assert report_every(Config(report_s=7), POLICY) == 7


def line_key(config):
    """What the doctor says of the line's key."""
    name = next(one.name for one in secret_files.AGENT if one.setting == "line.key_file")
    return next(check for check in secrets.checks(config) if check.name == name)


def test_the_lines_key_comes_from_its_file(tmp_path):
    path = tmp_path / "line.key"
    assert Line().key() == ""
    assert line_key(Config()).ok is None
    with pytest.raises(SettingsError, match="key_file"):
        Line(key_file=str(path)).key()
    path.write_text("short")
    with pytest.raises(SettingsError, match="32"):
        Line(key_file=str(path)).key()
    assert line_key(Config(line=Line(key_file=str(path)))).ok is False
    path.write_text("k" * 64 + "\n")
    assert Line(key_file=str(path)).key() == "k" * 64
    assert line_key(Config(line=Line(key_file=str(path)))).ok


@pytest.mark.parametrize(
    "username", ["9900000002", "9900000002-3", "990000001", "99000000011", "9900000002-"]
)
def test_another_schools_credential_is_refused_at_once(tmp_path: Path, username: str) -> None:
    text = f'school = "9900000001"\n[broker]\nusername = "{username}"'
    if username.endswith("-"):  # no name of ours: the broker decides
        assert load(written(tmp_path, text))
        return
    for need_school in (True, False):
        with pytest.raises(SettingsError) as raised:
            load(written(tmp_path, text), need_school=need_school)
        assert "9900000001" in str(raised.value)
        assert username in str(raised.value)
        assert "agent.toml" in str(raised.value)


@pytest.mark.parametrize("username", ["", "9900000001", "9900000001-12", "anybody", "lineserver"])
def test_a_credential_of_the_school_or_of_nobody_is_taken(tmp_path: Path, username: str) -> None:
    assert load(written(tmp_path, f'school = "9900000001"\n[broker]\nusername = "{username}"'))

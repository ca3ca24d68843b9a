"""`install BUNDLE` on Linux: files, rights and unit, with a systemctl that only takes notes."""

from __future__ import annotations

import os
import secrets
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import bundles
from agent import config
from agent.cli import COMMANDS
from agent.clock import Clock
from agent.commands import install, prepare_image
from agent.commands.install import with_room
from agent.common import secret_files
from agent.common.command_line import main
from agent.outbox import Outbox
from agent.service import service
from agent.wire import AgentHealth
from folders import enterable

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="files that are root's alone"
)

_SYSTEMCTL = """#!/bin/sh
echo "$@" >> {calls}
case "$1" in
  --version) echo "systemd {version} ({version}.1)";;
  is-active|is-enabled) exit $(cat {state});;
  restart|stop) :;;
esac
"""


class Pc(NamedTuple):
    """A PC, its folder of settings, and what systemctl was asked."""

    folder: Path
    etc: Path
    unit: Path
    bundle: Path
    say: Callable[..., int]

    @property
    def calls(self) -> list[str]:
        """All words to systemctl so far."""
        return (self.folder / "calls").read_text().splitlines()

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Content and mode of all settings."""
        return {
            file.name: (file.read_bytes(), stat.S_IMODE(file.stat().st_mode))
            for file in self.etc.iterdir()
        }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return bundles.files(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def pc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: dict[str, bytes]) -> Pc:
    etc, unit = tmp_path / "etc/schoolpulse", tmp_path / "the.service"
    systemctl(tmp_path, 252)
    (tmp_path / "state").write_text("0")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("SCHOOLPULSE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(service, "UNIT", unit)
    monkeypatch.setattr(config, "DEFAULT_FILE", etc / "agent.toml")
    monkeypatch.setattr("agent.service.program.check", lambda: None)
    monkeypatch.setattr(prepare_image, "ROOT", tmp_path)
    monkeypatch.setattr(install, "_doctor", lambda: "doctor spoke")
    path = bundles.write(tmp_path / f"schoolpulse-{bundles.SCHOOL}.zip", made)

    def say(*words: str | Path) -> int:
        return main("schoolpulse-agent", COMMANDS, [str(word) for word in words])

    return Pc(tmp_path, etc, unit, path, say)


def systemctl(folder: Path, version: int) -> None:
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "calls").touch()
    program = folder / "bin/systemctl"
    calls, state = folder / "calls", folder / "state"
    program.write_text(_SYSTEMCTL.format(calls=calls, state=state, version=version))
    program.chmod(0o755)


def test_all_of_a_bundle_lies_with_root_alone_and_reaches_the_service(
    pc: Pc, made: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    assert pc.say("install", pc.bundle) == 0
    assert stat.S_IMODE(pc.etc.stat().st_mode) == 0o700
    expected = {name: (data, 0o400) for name, data in made.items() if not name.endswith(".html")}
    assert pc.files() == expected
    unit = pc.unit.read_text()
    for file in secret_files.agent_files():
        assert f"LoadCredential={file}:/etc/schoolpulse/{file}\n" in unit
    said = capsys.readouterr().out
    assert bundles.SCHOOL in said
    assert "doctor spoke" in said
    asked = [call.split()[0] for call in pc.calls]
    assert asked[-3:] == ["daemon-reload", "enable", "restart"]


def test_twice_changes_nothing_and_restarts_nothing(
    pc: Pc, capsys: pytest.CaptureFixture[str]
) -> None:
    pc.say("install", pc.bundle)
    before = (
        {file.name: file.stat().st_mtime_ns for file in pc.etc.iterdir()},
        pc.unit.stat().st_mtime_ns,
    )
    count = len(pc.calls)
    capsys.readouterr()
    assert pc.say("install", pc.bundle) == 0
    assert pc.say("install") == 0
    assert capsys.readouterr().out.count("没有改动") == 2
    after = (
        {file.name: file.stat().st_mtime_ns for file in pc.etc.iterdir()},
        pc.unit.stat().st_mtime_ns,
    )
    assert after == before
    assert {call.split()[0] for call in pc.calls[count:]} <= {
        "--version", "is-enabled", "is-active",
    }  # fmt: skip


def test_a_service_that_does_not_run_is_started_again(pc: Pc) -> None:
    pc.say("install", pc.bundle)
    (pc.folder / "state").write_text("3")
    count = len(pc.calls)
    assert pc.say("install", pc.bundle) == 0
    assert "restart" in {call.split()[0] for call in pc.calls[count:]}


@pytest.mark.parametrize("name", secret_files.agent_files())
def test_what_was_lost_or_opened_is_put_right(pc: Pc, name: str) -> None:
    pc.say("install", pc.bundle)
    whole = pc.files()
    (pc.etc / name).chmod(0o644)
    assert pc.say("install", pc.bundle) == 0
    (pc.etc / name).unlink()
    assert pc.say("install", pc.bundle) == 0
    assert pc.files() == whole


def test_a_new_credential_replaces_the_old_one(pc: Pc, made: dict[str, bytes]) -> None:
    pc.say("install", pc.bundle)
    new = {**made, "broker.password": b"another-one-that-is-long\n"}
    new["agent.toml"] = bundles.settings(username=f"{bundles.SCHOOL}-2").encode()
    assert pc.say("install", bundles.write(pc.folder / "new.zip", new)) == 0
    assert pc.files()["broker.password"][0] == new["broker.password"]
    assert config.load(str(pc.etc / "agent.toml"))[0].broker.username.endswith("-2")


def test_killed_before_the_last_file_it_is_the_old_one_and_is_put_right(
    pc: Pc, made: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.common import files

    done: list[str] = []
    real = files.replace

    def dying(path: Path, data: bytes, **words: int) -> None:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(path.name)
        real(path, data, **words)

    monkeypatch.setattr(files, "replace", dying)
    assert pc.say("install", pc.bundle) == 130
    assert "agent.toml" not in pc.files()
    monkeypatch.setattr(files, "replace", real)
    assert pc.say("install", pc.bundle) == 0
    assert set(pc.files()) == set(made) - {"安装说明.html"}


def test_another_school_asks_for_replace(
    pc: Pc, made: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    pc.say("install", pc.bundle)
    other = {**made, "agent.toml": bundles.settings("9963020002").encode()}
    path = bundles.write(pc.folder / "other.zip", other)
    before = pc.files()
    assert pc.say("install", path) == 2
    said = capsys.readouterr().err
    assert bundles.SCHOOL in said
    assert "9963020002" in said
    assert "--replace" in said
    assert pc.files() == before
    assert pc.say("install", path, "--replace") == 0
    assert config.load(str(pc.etc / "agent.toml"))[0].school == "9963020002"


def test_unsent_reports_of_the_old_school_are_not_the_new_ones(
    pc: Pc, made: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    pc.say("install", pc.bundle)
    (pc.folder / "data").mkdir()
    outbox = Outbox(pc.folder / "data/outbox.db", "ab" * 16, Clock())
    outbox.put((AgentHealth(version="1"),), evidence=True)
    outbox.close()
    other = {**made, "agent.toml": bundles.settings("9963020002").encode()}
    path = bundles.write(pc.folder / "other.zip", other)
    assert pc.say("install", path, "--replace") == 2
    assert "--discard" in capsys.readouterr().err
    assert config.load(str(pc.etc / "agent.toml"))[0].school == bundles.SCHOOL
    assert pc.say("install", path, "--replace", "--discard") == 0
    assert not (pc.folder / "data/outbox.db").exists()


def test_the_room_of_this_pc_stays_when_the_bundle_comes_again(
    pc: Pc, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pc.say("install", pc.bundle, "--room", "999") == 2
    assert "101、机房" in capsys.readouterr().err
    assert not pc.etc.exists()
    assert pc.say("install", pc.bundle, "--room", "机房") == 0
    assert config.load(str(pc.etc / "agent.toml"))[0].room == "机房"
    assert pc.say("install", pc.bundle) == 0
    assert config.load(str(pc.etc / "agent.toml"))[0].room == "机房"


@pytest.mark.parametrize("room", ["101", '二"楼\\', "a\nb", "七（1）班", "]\n[broker]"])
def test_a_room_is_a_value_and_nothing_else(tmp_path: Path, room: str) -> None:
    file = tmp_path / "agent.toml"
    once = with_room(bundles.settings(more='room = "old"').encode("utf-8-sig"), room)
    file.write_bytes(with_room(once, room))
    found = config.load(str(file), environ={"SCHOOLPULSE_BROKER_PASSWORD": "x"})[0]
    assert found.room == room
    assert found.broker.host == "127.0.0.1"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "gb18030"])
def test_a_room_is_set_in_settings_as_windows_tools_save_them(
    tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "agent.toml"
    own = ("# 电教室的设置\n" + bundles.settings()).encode(encoding)
    file.write_bytes(with_room(own, "七（1）班"))
    found = config.load(str(file), environ={"SCHOOLPULSE_BROKER_PASSWORD": "x"})[0]
    assert (found.room, found.broker.host) == ("七（1）班", "127.0.0.1")


def test_settings_of_ones_own_take_along_what_they_name(pc: Pc, made: dict[str, bytes]) -> None:
    own = pc.folder / "own"
    own.mkdir()
    for name in secret_files.agent_files():
        (own / name).write_bytes(made[name])
    watched = 'devices = [{ host = "192.0.2.7", password_file = "pjlink.password" }]'
    (own / "agent.toml").write_text(bundles.settings(more=watched))
    (own / "pjlink.password").write_text("JBMIAProjectorLink")
    assert pc.say("install", "--config", own / "agent.toml") == 0
    assert set(pc.files()) == {*secret_files.agent_files(), "pjlink.password"}
    assert "LoadCredential=pjlink.password:" in pc.unit.read_text()


def test_without_some_secret_the_unit_asks_for_none(pc: Pc) -> None:
    """systemd starts no service whose secret it cannot read."""
    plain = pc.folder / "plain.toml"
    plain.write_text(f'school = "{bundles.SCHOOL}"\n')
    assert pc.say("install", "--config", plain) == 0
    named = [line for line in pc.unit.read_text().splitlines() if "LoadCredential" in line]
    assert named == ["LoadCredential=agent.toml:/etc/schoolpulse/agent.toml"]


def test_the_citys_folder_stays_open_for_its_user(pc: Pc) -> None:
    pc.etc.mkdir(parents=True)
    (pc.etc / "collector.toml").touch()
    pc.etc.chmod(0o775)
    assert pc.say("install", pc.bundle) == 0
    assert stat.S_IMODE(pc.etc.stat().st_mode) == 0o755
    modes = {name: mode for name, (_, mode) in pc.files().items() if name != "collector.toml"}
    assert set(modes.values()) == {0o400}


def test_a_folder_of_somebody_else_is_refused(pc: Pc, capsys: pytest.CaptureFixture[str]) -> None:
    pc.etc.mkdir(parents=True)
    os.chown(pc.etc, 61_234, 61_234)
    assert pc.say("install", pc.bundle) == 2
    assert "chown root" in capsys.readouterr().err
    assert pc.files() == {}


def test_a_systemd_that_knows_no_credentials_is_refused_before_anything_is_written(
    pc: Pc, capsys: pytest.CaptureFixture[str]
) -> None:
    systemctl(pc.folder, 241)
    assert pc.say("install", pc.bundle) == 2
    assert "241" in capsys.readouterr().err
    assert not pc.etc.exists()


def test_uninstalled_with_purge_no_secret_stays(pc: Pc) -> None:
    pc.say("install", pc.bundle)
    assert pc.say("uninstall", "--purge") == 0
    assert not pc.etc.exists()
    assert not pc.unit.exists()


def test_the_bundle_and_settings_at_once_are_refused(
    pc: Pc, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pc.say("install", pc.bundle, "--config", "x.toml") == 2
    assert "--config" in capsys.readouterr().err


def test_the_service_reads_its_copies_and_the_doctor_sees_them_as_its_account(
    pc: Pc, tmp_path: Path
) -> None:
    """Nobody but root reads the folder; the doctor takes the account's rights all the same."""
    pc.say("install", pc.bundle)
    uid = 61_234
    pc.unit.write_text(pc.unit.read_text().replace("/etc/schoolpulse", str(pc.etc)))
    (tmp_path / "data").mkdir(exist_ok=True)
    os.chown(tmp_path / "data", uid, uid)
    enterable(tmp_path)
    code = f"""
import encodings.idna, json, sys
from pathlib import Path
from agent import config
from agent.commands import doctor
from agent.doctor import account
from agent.service import service
config.DEFAULT_FILE = Path({str(pc.etc / "agent.toml")!r})
service.UNIT = Path({str(pc.unit)!r})
account.take.__defaults__ = ((),)  # this Python may lie in root's home
for check in doctor._checks(None):
    print(check.ok, check.name, check.detail, sep="|", flush=True)
"""
    environ = {**os.environ, "SCHOOLPULSE_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environ, timeout=120
    )
    found = {line.split("|")[1]: line for line in done.stdout.splitlines()}
    assert found["账号"].startswith(f"True|账号|uid {uid}"), done.stdout + done.stderr
    for secret in secret_files.AGENT:
        assert found[secret.name].startswith(f"True|{secret.name}|/dev/shm/schoolpulse-")
    assert found["密钥的权限"].startswith("True")
    assert not list(Path("/dev/shm").glob("schoolpulse-*/*"))


def test_the_credential_folder_alone_is_enough_for_the_agent(
    pc: Pc, tmp_path: Path, made: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "credentials"
    copies.mkdir()
    for name in secret_files.agent_files():
        (copies / name).write_bytes(made[name])
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(copies))
    found, warnings = config.load(None)
    assert warnings == []
    assert found.school == bundles.SCHOOL
    assert found.broker.ca == str(copies / "ca.pem")
    assert found.broker.secret() == made["broker.password"].decode().strip()
    assert found.line.key() == made["line.key"].decode().strip()
    assert found.identity.source_key().hex() == made["source.key"].decode().strip()
    absolute = bundles.settings().replace('"line.key"', '"/etc/schoolpulse/line.key"')
    (copies / "agent.toml").write_text(absolute)
    assert config.load(None)[0].line.key() == made["line.key"].decode().strip()
    (copies / "broker.password").write_text(secrets.token_hex(8))
    assert found.broker.secret() == (copies / "broker.password").read_text()

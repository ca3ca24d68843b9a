"""Secrets after `install`: named in the unit, read by the service alone, gone with a purge."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

import bundles
from agent import config
from agent.common import secret_files
from folders import enterable
from installing_pc import AS_ROOT, Pc, systemctl

pytestmark = AS_ROOT


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


def test_purged_on_the_citys_machine_its_ca_stays(pc: Pc) -> None:
    pc.etc.mkdir(parents=True)
    (pc.etc / "collector.toml").touch()
    assert pc.say("install", pc.bundle) == 0
    assert pc.say("uninstall", "--purge") == 0
    assert set(pc.files()) == {"collector.toml", "ca.pem"}


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
    copies = [found[secret.name].split("|", 2)[2].split()[0] for secret in secret_files.AGENT]
    for secret, copy in zip(secret_files.AGENT, copies, strict=True):
        assert found[secret.name].startswith(f"True|{secret.name}|/dev/shm/schoolpulse-")
        assert not Path(copy).parent.exists(), "others' may be there meanwhile"
    assert found["密钥的权限"].startswith("True")


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

"""`install BUNDLE` on Linux: files, rights and unit, and a folder that is not root's alone."""

from __future__ import annotations

import os
import stat

import pytest

import bundles
from agent.common import secret_files
from installing_pc import AS_ROOT, Pc

pytestmark = AS_ROOT


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


def test_the_citys_folder_stays_open_for_its_user(pc: Pc) -> None:
    pc.etc.mkdir(parents=True)
    (pc.etc / "collector.toml").touch()
    pc.etc.chmod(0o775)
    assert pc.say("install", pc.bundle) == 0
    assert stat.S_IMODE(pc.etc.stat().st_mode) == 0o755
    modes = {name: mode for name, (_, mode) in pc.files().items() if name != "collector.toml"}
    assert modes.pop("ca.pem") == 0o644  # the collector's too
    assert set(modes.values()) == {0o400}
    calls = len(pc.calls)
    assert pc.say("install", pc.bundle) == 0
    assert {call.split()[0] for call in pc.calls[calls:]} <= {
        "--version",
        "is-enabled",
        "is-active",
    }


def test_the_citys_ca_is_not_replaced_by_a_bundles(pc: Pc) -> None:
    """A bundle of before a renewal has the former one alone."""
    pc.etc.mkdir(parents=True)
    (pc.etc / "collector.toml").touch()
    (pc.etc / "ca.pem").write_text("the next CA, too")
    assert pc.say("install", pc.bundle) == 0
    assert (pc.etc / "ca.pem").read_text() == "the next CA, too"


def test_a_folder_of_somebody_else_is_refused(pc: Pc, capsys: pytest.CaptureFixture[str]) -> None:
    pc.etc.mkdir(parents=True)
    os.chown(pc.etc, 61_234, 61_234)
    assert pc.say("install", pc.bundle) == 2
    assert "chown root" in capsys.readouterr().err
    assert pc.files() == {}


def test_the_bundle_and_settings_at_once_are_refused(
    pc: Pc, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pc.say("install", pc.bundle, "--config", "x.toml") == 2
    assert "--config" in capsys.readouterr().err

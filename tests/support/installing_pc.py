"""A PC to install on, with a systemctl that only takes notes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import bundles
from agent import config
from agent.cli import COMMANDS
from agent.commands import install, prepare_image
from agent.common.command_line import main
from agent.service import service

AS_ROOT = pytest.mark.skipif(
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

"""The units of root's half of an update."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent.service import update_units


def test_systemd_takes_both(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze")
    service = update_units.service(Path("/opt/schoolpulse"))
    assert "/opt/schoolpulse-steady/bin/python -m agent.update.helper" in service
    run = service.replace("/opt/schoolpulse-steady/bin/python", "/bin/true")
    (tmp_path / update_units.SERVICE_UNIT.name).write_text(run)
    (tmp_path / update_units.PATH_UNIT.name).write_text(update_units.path())
    names = [str(tmp_path / update_units.PATH_UNIT.name)]
    done = subprocess.run([program, "verify", *names], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_finds_little_that_root_s_half_could_do(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze")
    unit = tmp_path / update_units.SERVICE_UNIT.name
    unit.write_text(update_units.service(Path("/opt/schoolpulse")))
    words = [program, "security", "--offline=true", "--no-pager", "--threshold=20", str(unit)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


def test_a_purge_takes_what_root_remembers(tmp_path: Path, monkeypatch: Any) -> None:
    kept = tmp_path / "schoolpulse-update"
    monkeypatch.setattr(update_units, "ROOT_STATE", kept)
    update_units.purge()
    (kept / "work").mkdir(parents=True)
    (kept / "result.json").write_text("{}")
    update_units.purge()
    assert list(tmp_path.iterdir()) == []


def test_a_program_in_somebodys_own_folder_gets_no_helper(tmp_path: Path) -> None:
    said: list[tuple[str, ...]] = []
    update_units.install(lambda *words: said.append(words) or "")  # type: ignore[func-returns-value]
    assert said == [], "these tests do not run from /opt"


def test_the_citys_own_program_is_not_replaced_by_an_agents(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """/opt/schoolpulse has the collector's parts there, which a version of the agent lacks."""
    (tmp_path / "collector.toml").touch()
    monkeypatch.setattr(update_units, "DEFAULT_FILE", tmp_path / "agent.toml")
    calls: list[tuple[str, ...]] = []
    for name in ("SERVICE_UNIT", "PATH_UNIT"):
        monkeypatch.setattr(update_units, name, tmp_path / name)
        (tmp_path / name).touch()
    update_units.install(lambda *words: calls.append(words) or "")
    assert {words[0] for words in calls} == {"disable"}
    assert not (tmp_path / "SERVICE_UNIT").exists()
    assert not (tmp_path / "PATH_UNIT").exists()

"""A new version is fetched, checked and installed by the second service; a broken one is undone.

Under Wine's own service manager. Wine runs every service as its one user, and keeps no rights of
services: that the agent's account may start the updater and no more is not seen here.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import wine
from agent.common.calendar import CITY_TIME
from agent.version import VERSION
from wine import Wine

NEXT, BROKEN = "90.0.0", "91.0.0"
_PROGRAMS = "Program Files"


@pytest.fixture(scope="session")
def next_setup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installer of this tree, as the next version."""
    source = tmp_path_factory.mktemp("next")
    for name in ("agent", "deploy", "requirements"):
        shutil.copytree(wine.ROOT / name, source / name)
    file = source / "agent/version.py"
    file.write_text(re.sub(r'VERSION = ".*"', f'VERSION = "{NEXT}"', file.read_text()))
    build = source / "build/windows"
    build.mkdir(parents=True)
    for path in (*wine.BUILD.glob(".ready-*"), wine.BUILD / "python"):
        (build / path.name).symlink_to(path)
    subprocess.run(["sh", str(source / "deploy/windows/installer.sh")], check=True, timeout=800)
    return source / f"dist/windows/schoolpulse-agent-{NEXT}-setup.exe"


@pytest.fixture
def broken_setup(tmp_path: Path) -> Path:
    """An installer whose program does not run at all."""
    (tmp_path / "program/_internal").mkdir(parents=True)
    (tmp_path / "program/_internal/file").write_text("nothing")
    (tmp_path / "program/schoolpulse-agent.exe").write_text("no program")
    out = tmp_path / "broken-setup.exe"
    words = {
        "VERSION": BROKEN, "FOLDER": tmp_path / "program", "OUT": out,
        "SAMPLE": wine.ROOT / "deploy/agent.toml",
    }  # fmt: skip
    call = ["makensis", "-V2", *(f"-D{key}={value}" for key, value in words.items())]
    subprocess.run([*call, str(wine.ROOT / "deploy/windows/installer.nsi")], check=True)
    return out


@pytest.fixture
def command(city: Any) -> Callable[..., str]:
    """Runs a command of the city whose agents are updated."""
    own = ["--config", str(city.folder / "collector.toml")]

    def run(*words: str | Path) -> str:
        call = [sys.executable, "-m", "collector.cli", *map(str, words), *own]
        return subprocess.run(call, check=True, capture_output=True, text=True).stdout

    return run


def holiday(folder: Path) -> Path:
    """Nothing is installed during a lesson, so these days have none."""
    today = dt.datetime.now(CITY_TIME).date()
    file = folder / "holiday.csv"
    days = (today + dt.timedelta(days=day) for day in (-1, 0, 1))
    file.write_text("date,kind\n" + "".join(f"{day},holiday\n" for day in days))
    return file


def version(windows: Wine) -> str:
    program = windows.drive / _PROGRAMS / "SchoolPulse/schoolpulse-agent.exe"
    return windows.run(program, "--version").stdout.split()[-1]


@pytest.mark.timeout(1500)
def test_a_version_is_installed_and_a_broken_one_undone(
    windows: Wine, city: Any, tree: None, desk: Path, next_setup: Path, broken_setup: Path,
    tmp_path: Path, command: Callable[..., str],
) -> None:  # fmt: skip
    command("calendar", "import", holiday(tmp_path))
    row = re.search(r"\[update\]\npublic_key = .*\n", command("release", "key"))
    assert row
    (desk / "agent.toml").write_text(f"{city.settings}{row[0]}delay_s = 0\n")
    before = city.boots()
    assert windows.install("C:\\desk\\setup.exe", "/S") == 0
    assert version(windows) == VERSION
    own = windows.drive / _PROGRAMS / "SchoolPulse-update"
    assert (own / VERSION / "schoolpulse-agent.exe").exists()

    def result() -> dict[str, str]:
        file = own / "result.json"
        return json.loads(file.read_text()) if file.exists() else {}

    command("release", "add", next_setup, "--version", NEXT)
    command("release", "stage", NEXT, "--all")
    log = windows.drive / "ProgramData/SchoolPulse/agent.log"
    wine.until(lambda: result() == {"version": NEXT}, 400, f"the update: {log}")
    assert version(windows) == NEXT
    assert windows.service() == "RUNNING"
    assert (own / NEXT / "schoolpulse-agent.exe").exists()

    command("release", "add", broken_setup, "--version", BROKEN)
    command("release", "stage", BROKEN, "--all")
    failed = f"failed:not_installed:{BROKEN}"
    query = f"SELECT count(*) FROM agent WHERE \"update\" = '{failed}'"
    wine.until(lambda: city.rows(query)[0][0], 400, f"its failure: {log}")
    assert result()["code"] == "not_installed"
    assert version(windows) == NEXT
    assert windows.service() == "RUNNING"

    # Every report of every start has arrived: the first of a start writes no row.
    for boot in city.boots() - before:
        rows = city.rows(f"SELECT number FROM agent WHERE boot = '{boot}' ORDER BY number")
        assert [number for (number,) in rows] == list(range(2, len(rows) + 2))

    program = windows.drive / _PROGRAMS / "SchoolPulse"
    windows.install(program / "uninstall.exe", "/S")
    wine.until(lambda: not program.exists(), 60, "the program gone")
    assert not own.exists()
    assert windows.run("sc", "query", "SchoolPulseUpdate").returncode

"""`make bundle`: what a school without a package index gets installs without a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from agent.version import VERSION

ROOT = Path(__file__).parents[2]
#: A shell without a network where we may have one, else only without an index.
_CUT_OFF = ["unshare", "--net"] if os.geteuid() == 0 and shutil.which("unshare") else []


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    script = ROOT / "deploy/offline/bundle.sh"
    subprocess.run(["sh", str(script), sys.executable], check=True, timeout=500)
    folder = tmp_path_factory.mktemp("offline")
    with zipfile.ZipFile(ROOT / f"dist/schoolpulse-agent-{VERSION}-offline.zip") as archive:
        archive.extractall(folder)
    return folder / "schoolpulse-agent"


def run(*words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environ = {**kept, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull, **variables}
    call = [*_CUT_OFF, *map(str, words)]
    return subprocess.run(call, env=environ, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
def test_it_installs_and_runs_without_a_network(unpacked: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "opt"
    done = run("sh", unpacked / "install.sh", PREFIX=str(prefix), PYTHON=sys.executable)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = run(prefix / "bin/python", "-m", "pip", "list", "--format=json")
    names = {row["name"].lower() for row in json.loads(listed.stdout)} - {"pip", "setuptools"}
    assert names == {"msgspec", "paho-mqtt", "psutil", "schoolpulse", "speedtest-cli"}
    once = run(prefix / "bin/schoolpulse-agent", "once", "--json")
    assert json.loads(once.stdout)["type"] == "report", once.stderr


@pytest.mark.slow
def test_the_wheels_serve_linux_and_windows_of_each_python(unpacked: Path, tmp_path: Path) -> None:
    for minor in (11, 12, 13):
        for platform in ("manylinux2014_x86_64", "manylinux2014_aarch64", "win_amd64"):
            found = run(
                sys.executable, "-m", "pip", "download", "--quiet", "--no-index", "--find-links",
                unpacked / "wheels", "--only-binary=:all:", "--platform", platform,
                "--python-version", f"3.{minor}", "--dest", tmp_path / f"{platform}{minor}",
                "schoolpulse",
            )  # fmt: skip
            assert found.returncode == 0, found.stderr
            assert len(list((tmp_path / f"{platform}{minor}").iterdir())) == 5


@pytest.mark.slow
def test_a_damaged_copy_is_refused(unpacked: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(unpacked, copy)
    wheel = next((copy / "wheels").glob("schoolpulse-*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:-1])
    done = run("sh", copy / "install.sh", PREFIX=str(tmp_path / "opt"), PYTHON=sys.executable)
    assert done.returncode == 2
    assert "damaged" in done.stderr
    assert not (tmp_path / "opt").exists()

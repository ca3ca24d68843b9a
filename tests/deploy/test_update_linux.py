"""One real update on Linux: install.sh, a bundle of the next version, root's helper, a new venv."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from agent.update import helper
from agent.update.helper import Setup
from agent.update.install_linux import Installer
from agent.update.programs import Programs
from agent.version import VERSION
from agent.wire.release import Manifest
from collector.release import key, shelf

ROOT = Path(__file__).parents[2]
NEXT = "90.0.0"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2400),  # it builds three environments
    pytest.mark.skipif(sys.platform != "linux", reason="Linux's way"),
]


class Real(Programs):
    """Real environments and pip; instead of systemd, the new program says that it works."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.versions: list[str] = []

    def restart(self) -> None:
        folder = self.setup.state / "update"
        code = (
            "import pathlib; from agent.version import VERSION;"
            "from agent.update.install_linux import Installer;"
            f"Installer(pathlib.Path({str(folder)!r})).confirm(VERSION); print(VERSION)"
        )
        call = [str(self.setup.prefix / "bin/python"), "-c", code]
        done = subprocess.run(call, capture_output=True, text=True, check=True, cwd="/")
        self.versions.append(done.stdout.strip())

    def restarts(self) -> int:
        return 0


def bundle(folder: Path, version: str) -> Path:
    """What `make bundle` makes of this tree, as another version."""
    source = folder / f"source-{version}"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "constraints.txt"):
        shutil.copy(ROOT / name, source)
    for name in ("agent", "collector", "dashboards", "deploy", "requirements"):
        shutil.copytree(ROOT / name, source / name)
    file = source / "agent/version.py"
    file.write_text(re.sub(r'VERSION = ".*"', f'VERSION = "{version}"', file.read_text()))
    script = source / "deploy/offline/bundle.sh"
    subprocess.run(["sh", str(script), sys.executable], check=True)
    return source / f"dist/schoolpulse-agent-{version}-offline.zip"


def test_the_next_version_takes_the_place_of_this_one(tmp_path: Path) -> None:
    package = bundle(tmp_path, NEXT)
    setup = Setup(
        tmp_path / "state", tmp_path / "own", tmp_path / "opt/schoolpulse", tmp_path / "agent.toml"
    )
    setup.prefix.parent.mkdir()
    subprocess.run([sys.executable, "-m", "venv", str(setup.prefix)], check=True)
    with zipfile.ZipFile(bundle(tmp_path, VERSION)) as archive:
        archive.extractall(tmp_path / "first")
    call = ["sh", str(tmp_path / "first/schoolpulse-agent/install.sh")]
    environ = {**os.environ, "PREFIX": str(setup.prefix), "PYTHON": sys.executable}
    subprocess.run(call, check=True, env=environ)

    city = tmp_path / "release.key"
    setup.settings.write_text(key.settings_row(key.make(city)))
    file = shelf.put(tmp_path / "shelf", package, NEXT)
    folder = setup.state / "update"
    folder.mkdir(parents=True)
    shutil.copy(tmp_path / "shelf" / file.sha256, folder / file.sha256)
    signed = key.sign(city, Manifest(v=1, serial=1, files=(file,)))
    Installer(folder, setup.own).install(folder / file.sha256, signed, NEXT)

    programs = Real(setup)
    assert helper.run(setup, programs) == 0
    assert programs.versions == [NEXT]
    for place, version in ((setup.prefix, NEXT), (f"{setup.prefix}-{VERSION}", VERSION)):
        said = subprocess.run(
            [f"{place}/bin/python", "-m", "agent.cli", "--version"],
            capture_output=True, text=True, check=True, cwd="/",
        )  # fmt: skip
        assert said.stdout.split()[-1] == version

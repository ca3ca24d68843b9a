"""The base install is the agent alone, and enough to print a report."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import base_install as base_install_of

AGENT_ONLY = {"msgspec", "paho-mqtt", "psutil", "schoolpulse", "speedtest-cli"}


@pytest.fixture(scope="module")
def base_install(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The `bin` of a fresh environment that holds `pip install .` and nothing else."""
    home = tmp_path_factory.mktemp("install")
    yield base_install_of.make(home)
    shutil.rmtree(home)


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(words, capture_output=True, text=True, timeout=240, env=clean, cwd="/")


@pytest.mark.slow
def test_the_base_install_is_the_agent_alone(base_install: Path) -> None:
    listed = _run(base_install / "python", "-m", "pip", "list", "--format=json")
    names = {row["name"].lower() for row in json.loads(listed.stdout)} - {"pip", "setuptools"}
    assert names <= AGENT_ONLY

    once = _run(base_install / "schoolpulse-agent", "once", "--json")
    assert once.returncode == 0, once.stderr
    assert json.loads(once.stdout)["type"] == "report"

    lacking = _run(base_install / "schoolpulse", "demo")
    assert lacking.returncode == 2
    assert "pip install '.[all]'" in lacking.stderr
    assert "Traceback" not in lacking.stderr


@pytest.mark.slow
@pytest.mark.parametrize("room", ["agent", "collector", "dashboards"])
def test_an_installation_has_every_file_of_the_tree(base_install: Path, room: str) -> None:
    """The pages, sheets and boards of a program beside whose files nobody stands."""
    root = Path(__file__).parents[1]
    (installed,) = base_install.parent.glob("lib/python*/site-packages")
    assert _files(installed, room) == _files(root, room)


def _files(root: Path, room: str) -> set[str]:
    found = (path.relative_to(root) for path in (root / room).rglob("*") if path.is_file())
    return {str(path) for path in found if "__pycache__" not in path.parts}


def test_once_imports_nothing_of_the_collector() -> None:
    code = "import sys; sys.argv[1:] = ['once', '--json']; from agent.cli import main; main();"
    code += "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    done = _run(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.split())
    assert not loaded & {
        "collector",
        "influxdb_client",
        "rich",
        "jinja2",
        "requests",
        "grafana_api",
    }

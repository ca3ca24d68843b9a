"""`schoolpulse doctor` on a data folder with a register of one school."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import services
from collector.roster.book import RegisterBook
from collector.roster.register import Register, School
from collector.roster.rows import rows_of

SCHOOL = "9900000001"
Checks = dict[str, dict[str, Any]]
Doctor = Callable[..., Checks]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a register of one school."""
    folder = tmp_path / "data"
    register = Register({SCHOOL: School(SCHOOL, "示例小学", "630102", "小学", "630102")})
    RegisterBook(folder / "register.db").import_rows(rows_of(register), who="test")
    return folder


@pytest.fixture
def doctor(tmp_path: Path, data: Path) -> Doctor:
    """Runs it with further settings; the checks by their English name."""

    def run(settings: str = "", *words: str, folder: Path = data, user: str = "") -> Checks:
        file = (folder if user else tmp_path) / "collector.toml"
        dead = f"[mqtt]\nport = {services.free_port()}\n" if "[mqtt]" not in settings else ""
        file.write_text(f'data = "{folder}"\n{dead}{settings}')
        tool = [sys.executable, "-m", "collector.cli", "--lang", "en", "doctor", "--json"]
        as_user = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] if user else []
        done = subprocess.run(
            [*as_user, *tool, *words, "--config", str(file)],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr, done.stderr
        return {check["name"]: check for check in json.loads(done.stdout)["checks"]}

    return run


def influx(url: str, login: str = "") -> str:
    return f'[store]\nkind = "influxdb"\nurl = "{url}"\ntoken = "{login}"\n'

"""Every resident command logs in one form, from its first line on: real processes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

_VALUE = r'(?:"(?:[^"\\]|\\.)*"|[^\s"\\]*)'
_LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4} (INFO|WARNING|ERROR) "
    rf"(?P<event>[a-z_]+)(?: [a-z_]+={_VALUE})*"
)
_CITY = "{data}\nstrange = 1\n[mqtt]\nport = 1\n"
_SCHOOL = 'school = "9900000001"\n{data}\nstrange = 1\n[broker]\nport = 1\n'
COMMANDS = {
    "agent run": ("agent.cli", ["run"], _SCHOOL),
    "collect": ("collector.cli", ["collect"], _CITY),
    "keeper": ("collector.cli", ["collect", "--role", "keeper"], _CITY),
    "lineserver": ("collector.cli", ["lineserver", "--host", "127.0.0.1", "--port", "0"], _CITY),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_resident_command_logs_time_level_event_and_fields(name: str, tmp_path: Path) -> None:
    module, words, text = COMMANDS[name]
    settings = tmp_path / "settings.toml"
    settings.write_text(text.format(data=f'data = "{tmp_path}/data"'))
    environ = {k: v for k, v in os.environ.items() if not k.startswith("SCHOOLPULSE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", module, *words, "--config", str(settings)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environ,
        text=True,
    )
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert "WARNING setting_ignored text=" in first
        assert "strange" in first
    finally:
        process.terminate()
        _, rest = process.communicate(timeout=60)
    lines = [first.rstrip("\n"), *rest.splitlines()]
    assert [line for line in lines if not _LINE.fullmatch(line)] == []

"""What doctor says of a server that does not answer: the system's words, no object of a library."""

from __future__ import annotations

from pathlib import Path

import pytest

import services
from agent.common import language
from collector.config import Config, Lines, Store
from collector.doctor import checks, storing


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_server_that_is_stopped(tmp_path: Path, lang: str) -> None:
    language.choose(lang)
    url = f"http://127.0.0.1:{services.free_port()}"
    config = Config(
        data=str(tmp_path), store=Store(kind="influxdb", url=url), lines=Lines(server=url)
    )
    stored, _ = storing.check(config)
    served, _ = checks._lineserver(config)
    for found in (stored, served):
        assert found.ok is False
        assert found.detail.endswith(f"{url}: Connection refused")
    assert "systemctl start influxdb" in stored.fix

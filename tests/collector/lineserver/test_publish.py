"""Records without a receipt wait in the outbox, from one start to the next."""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.common.command_line import RefusedError
from agent.common.settings import Broker
from agent.wire import LineRecord
from collector.commands import lineserver
from collector.lineserver.publish import Publisher

RECORD = LineRecord("1" * 32, "9963010001", "ab" * 16, "主线", "ok", sent_bytes=5)
NOWHERE = Broker(port=1)


def test_a_record_waits_until_a_receipt_even_over_a_restart(tmp_path):
    first = Publisher(NOWHERE, tmp_path)
    first.start()
    first.publish(RECORD)
    assert first.waiting == 1
    first.stop()
    second = Publisher(NOWHERE, tmp_path)
    assert second.machine == first.machine
    assert second.waiting == 1
    second.start()
    second.stop()


def test_two_servers_are_two_machines(tmp_path):
    one, other = Publisher(NOWHERE, tmp_path / "a"), Publisher(NOWHERE, tmp_path / "b")
    assert one.machine != other.machine
    assert re.fullmatch("[0-9a-f]{32}", one.machine)
    one._outbox.close()
    other._outbox.close()


def test_a_damaged_id_is_replaced(tmp_path):
    (tmp_path / "lineserver.id").write_text("not an id")
    drawn = Publisher(NOWHERE, tmp_path)
    assert re.fullmatch("[0-9a-f]{32}", drawn.machine)
    drawn._outbox.close()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "collector.toml"
    path.write_text(f'data = "{tmp_path}/data"\n[mqtt]\nport = 1\n')
    return path


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "collector.cli", "lineserver", "--host", "127.0.0.1", *words]


def test_the_command_serves_until_it_is_stopped(config, tmp_path):
    server = subprocess.Popen(
        command("--port", "0", "--config", str(config)), stdout=subprocess.PIPE, text=True
    )
    try:
        url = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())[0]
        test = subprocess.run(
            [sys.executable, "-m", "agent.cli", "line", "--server", url, "--json"],
            env={"SCHOOLPULSE_DATA": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        port = url.rpartition(":")[2]
        taken = subprocess.run(
            command("--port", port, "--config", str(config)), capture_output=True, text=True
        )
    finally:
        server.send_signal(signal.SIGTERM)
        server.stdout.close()
        assert server.wait(120) == 0
    found = json.loads(test.stdout)
    assert found["outcome"] == "ok"
    assert (found["threshold_mbps"], found["meets"]) == (10, True)
    assert taken.returncode == 2
    assert "已有一个测速服务器" in taken.stderr


def test_a_port_in_use_is_refused(running, config):
    args = argparse.Namespace(
        host="127.0.0.1",
        port=running.server.port,
        config=str(config),
        simulated=False,
        new_key=None,
        status=False,
        open=False,
    )
    with pytest.raises(RefusedError, match="端口已被占用"):
        lineserver.run(args)

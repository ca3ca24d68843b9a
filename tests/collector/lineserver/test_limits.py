"""The measurement server's register: what it says where the register cannot be read."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from pathlib import Path

WISH = {"school": "9900000001", "machine": "ab" * 16, "max_seconds": 1.0}


def ask(port: int, line: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/v1/tests", json.dumps({**WISH, "line": line}).encode())
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_register_that_cannot_be_read_is_logged_once_with_the_reason(tmp_path: Path) -> None:
    settings = tmp_path / "city.toml"
    settings.write_text(f'data = "{tmp_path}"\n[mqtt]\nport = 1\n')
    (tmp_path / "register.db").write_bytes(b"no database " * 100)
    words = ["lineserver", "--host", "127.0.0.1", "--port", "0", "--config", str(settings)]
    server = subprocess.Popen(
        [sys.executable, "-m", "collector.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        found = re.search(r":(\d+)$", server.stdout.readline().strip())
        assert found
        assert [ask(int(found[1]), line) for line in ("L1", "L2")] == [201, 201]
    finally:
        server.terminate()
        _, said = server.communicate(timeout=20)
    lines = [line for line in said.splitlines() if "register_unreadable" in line]
    assert len(lines) == 1
    assert re.match(r"\S+ WARNING register_unreadable reason=\".*file is not a database", lines[0])

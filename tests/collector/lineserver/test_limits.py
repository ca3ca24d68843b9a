"""The measurement server's register: what it says where the register cannot be read."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from pathlib import Path

from agent.common import signing
from collector.lineserver import keys

WISH = {"school": "9900000001", "machine": "ab" * 16, "max_seconds": 1.0}


def ask(port: int, line: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", "/v1/tests", json.dumps({**WISH, "line": line}).encode())
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_register_that_cannot_be_read_is_told_at_start_and_once(tmp_path: Path) -> None:
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
        assert server.stderr is not None
        first = server.stderr.readline()  # before it listens, and before any test
        found = re.search(r":(\d+)$", server.stdout.readline().strip())
        assert found
        assert [ask(int(found[1]), line) for line in ("L1", "L2")] == [201, 201]
    finally:
        server.terminate()
        _, said = server.communicate(timeout=120)
    assert re.match(r"\S+ WARNING register_unreadable reason=\".*file is not a database", first)
    assert "register_unreadable" not in said


def test_a_server_with_keys_and_no_register_says_what_it_lacks_and_where_it_comes_from(
    tmp_path: Path,
) -> None:
    keys.make(tmp_path / "keys", WISH["school"])  # type: ignore[arg-type]
    settings = tmp_path / "city.toml"
    held = f'[lines]\nkeys = "{tmp_path}/keys"\n'
    settings.write_text(f'data = "{tmp_path}/data"\n{held}[mqtt]\nport = 1\n')
    words = ["lineserver", "--port", "0", "--host", "127.0.0.1", "--config", str(settings)]
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
        status, answer = ask_signed(int(found[1]), tmp_path / "keys")
        asked = subprocess.run(
            [sys.executable, "-m", "collector.cli", *words[:2], found[1], *words[3:], "--status"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        server.terminate()
        _, said = server.communicate(timeout=120)
    assert (status, answer["answer"]) == (503, "full")
    assert "schoolpulse/v1/+/policy" in answer["error"]
    assert re.search(r" WARNING no_lines text=.*schoolpulse/v1/\+/policy", said)
    assert re.search(rf"{WISH['school']} +no_lines +1", asked.stdout)


def ask_signed(port: int, folder: Path) -> tuple[int, dict[str, str]]:
    body = json.dumps({**WISH, "line": "L1"}).encode()
    key = (folder / f"{WISH['school']}.key").read_text().strip()
    signed = ""
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/v1/tests", body, {"Authorization": signed})
        reply = connection.getresponse()
        answer = json.loads(reply.read())
        connection.close()
        if reply.status != 401:
            break
        given = (str(WISH["school"]), "POST", "/v1/tests", answer["nonce"], body)
        signed = signing.header(key, *given)
    return reply.status, answer

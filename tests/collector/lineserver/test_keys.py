"""A key per school: who may ask for a turn."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.common import signing
from agent.common.command_line import RefusedError
from agent.probes.line.probe import measure
from agent.wire import LineTest
from collector.lineserver import keys
from collector.lineserver.server import LineServer

SCHOOL, OTHER = "9963010001", "9963010002"
WISH = {"school": SCHOOL, "machine": "ab" * 16, "line": "主线"}
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for school in (SCHOOL, OTHER):
        keys.make(tmp_path / "keys", school)
    return tmp_path / "keys"


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    server = LineServer("127.0.0.1", 0, lambda record: None, keys=keys.Keys(folder))
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


@pytest.fixture
def ask(url: str) -> Ask:
    def send(authorization: str = "", wish: dict[str, Any] = WISH) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=120)
        connection.request("POST", "/v1/tests", json.dumps(wish), {"Authorization": authorization})
        reply = connection.getresponse()
        answer = reply.status, json.loads(reply.read())
        connection.close()
        return answer

    return send


def signed(folder: Path, nonce: str, school: str = SCHOOL, key_of: str = SCHOOL) -> str:
    key = (folder / f"{key_of}.key").read_text().strip()
    return signing.header(key, school, "POST", "/v1/tests", nonce, json.dumps(WISH).encode())


def test_without_a_signature_there_is_only_a_nonce(ask: Ask) -> None:
    status, answer = ask()
    assert status == 401
    assert answer["nonce"]


def test_a_holder_of_the_key_gets_a_turn_once(ask: Ask, folder: Path) -> None:
    nonce = ask()[1]["nonce"]
    header = signed(folder, nonce)
    status, turn = ask(header)
    assert status == 201
    assert turn["id"]
    assert ask(header)[0] == 401  # overheard and sent again


def test_a_key_is_worth_its_own_school_only(ask: Ask, folder: Path) -> None:
    nonce = ask()[1]["nonce"]
    assert ask(signed(folder, nonce, key_of=OTHER))[0] == 403
    assert ask(signed(folder, nonce, school=OTHER, key_of=OTHER))[0] == 403


def test_what_was_signed_is_what_is_asked(ask: Ask, folder: Path) -> None:
    nonce = ask()[1]["nonce"]
    assert ask(signed(folder, nonce), {**WISH, "line": "备线"})[0] == 403


@pytest.mark.parametrize("nonce", ["", "x", "0" * 16 + "-1-" + "0" * 32, "é"])
def test_nonces_that_are_not_ours(ask: Ask, folder: Path, nonce: str) -> None:
    header = signed(folder, nonce).encode("utf-8").decode("latin-1")
    assert ask(header)[0] in (401, 403)


@pytest.mark.parametrize("header", ["SchoolPulse", "Basic abc", "SchoolPulse a:b", "x" * 5000])
def test_garbage_is_not_signed(ask: Ask, header: str) -> None:
    assert ask(header)[0] == 401


def test_a_nonce_gets_old(folder: Path) -> None:
    now = [100.0]
    held = keys.Keys(folder, lambda: now[0])
    nonce = held.nonce()
    header = signed(folder, nonce)
    request = keys.Request("POST", "/v1/tests", json.dumps(WISH).encode(), header)
    now[0] += 62
    assert held.refuse(SCHOOL, request) == "stale nonce"


def test_a_key_that_is_removed_is_worth_nothing_at_once(ask: Ask, folder: Path) -> None:
    nonce = ask()[1]["nonce"]
    header = signed(folder, nonce)
    (folder / f"{SCHOOL}.key").unlink()
    assert ask(header)[0] == 403


def test_the_probe_signs_and_tests(url: str, folder: Path) -> None:
    key = (folder / f"{SCHOOL}.key").read_text().strip()
    test = measure(url, **WISH, key=key, max_seconds=60, max_bytes=20_000_000)
    assert isinstance(test, LineTest)
    assert test.outcome == "ok", test.reason


def test_the_probe_with_anothers_key_is_refused(url: str, folder: Path) -> None:
    key = (folder / f"{OTHER}.key").read_text().strip()
    test = measure(url, **WISH, key=key, max_seconds=60)
    assert isinstance(test, LineTest)
    assert (test.outcome, test.down_mbps) == ("refused", None)
    assert (test.reason, "wrong key" in test.detail) == ("key_refused", True)


def test_a_key_is_drawn_once_and_readable_by_nobody_else(tmp_path: Path) -> None:
    path = keys.make(tmp_path, SCHOOL)
    assert path.stat().st_mode & 0o137 == 0
    with pytest.raises(RefusedError, match="已有密钥"):
        keys.make(tmp_path, SCHOOL)
    with pytest.raises(RefusedError, match="10 位"):
        keys.make(tmp_path, "../../etc")


def test_a_key_that_cannot_be_read_is_logged_with_the_reason(
    folder: Path, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / f"{SCHOOL}.key").write_bytes(b"\xff" * 40)
    nonce = ask()[1]["nonce"]
    assert ask(signing.header("x" * 40, SCHOOL, "POST", "/v1/tests", nonce, b""))[0] == 403
    (line,) = caplog.messages
    assert line.startswith(f'key_unreadable school={SCHOOL} reason="TextFileError: ')
    (folder / f"{SCHOOL}.key").unlink()
    ask(signing.header("x" * 40, SCHOOL, "POST", "/v1/tests", nonce, b""))
    assert len(caplog.messages) == 1, "a school without a key is no fault"

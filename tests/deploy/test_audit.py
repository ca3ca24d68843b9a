"""`make check` asks the advisories: what is known fails, silence is named and does not."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PINS = "# a list\nalpha==1.0 \\\n    --hash=sha256:00\nbeta_x.y==2.0.1 ; python_version > '3'\n"

Query = dict[str, Any]


@contextmanager
def advisories(answer: Callable[[list[Query]], bytes], status: int = 200) -> Iterator[str]:
    """A server that answers each batch of queries so; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told = answer(json.loads(body)["queries"])
            self.send_response(status)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/querybatch"
        server.shutdown()


def weak(*names: str) -> Callable[[list[Query]], bytes]:
    """Advisories that know a weakness of these."""

    def answer(queries: list[Query]) -> bytes:
        assert all(one["package"]["ecosystem"] == "PyPI" and one["version"] for one in queries)
        known = {"vulns": [{"id": "PYSEC-1900-1", "modified": ""}]}
        results = [known if one["package"]["name"] in names else {} for one in queries]
        return json.dumps({"results": results}).encode()

    return answer


def audit(folder: Path, address: str) -> tuple[int, str]:
    argv = [sys.executable, str(ROOT / "deploy/audit.py"), str(folder), address]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    (tmp_path / "one.txt").write_text(PINS)
    (tmp_path / "two.txt").write_text(PINS.replace("2.0.1", "2.0.2"))
    return tmp_path


def test_what_is_known_fails_and_is_named(lists: Path) -> None:
    with advisories(weak("beta_x.y")) as address:
        code, said = audit(lists, address)
    assert code == 1
    assert "beta_x.y 2.0.1 PYSEC-1900-1" in said
    assert "beta_x.y 2.0.2 PYSEC-1900-1" in said
    assert "alpha" not in said
    assert "3 libraries, 2 known" in said


def test_nothing_known_says_how_much_was_asked(lists: Path) -> None:
    with advisories(weak()) as address:
        assert audit(lists, address) == (0, "audit: 3 libraries, 0 known weaknesses\n")


def test_every_library_of_the_real_lists_is_asked_about() -> None:
    asked: list[Query] = []
    with advisories(lambda queries: [asked.extend(queries), weak()(queries)][1]) as address:  # type: ignore[list-item]
        assert audit(ROOT / "requirements", address)[0] == 0
    texts = [path.read_text("utf-8") for path in (ROOT / "requirements").glob("*.txt")]
    wanted = {pin for text in texts for pin in re.findall(r"(?m)^([^#\s=]+)==([^\s]+)", text)}
    assert {(one["package"]["name"], one["version"]) for one in asked} == wanted


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (b"<html>log in to the school's network</html>", 200),
        (b'{"results": [{}]}', 200),  # fewer than were asked
        (b'{"results": [{"vulns": [7]}, {}, {}]}', 200),
        (b"[]", 200),
        (b"null", 200),
        (b"\xff", 200),
        (b"no", 503),
    ],
)
def test_an_answer_that_is_none_is_named_and_is_no_all_clear(
    lists: Path, told: bytes, status: int
) -> None:
    with advisories(lambda _: told, status) as address:
        code, said = audit(lists, address)
    assert code == 0
    assert "audit skipped, nothing is known about 3 libraries" in said
    assert address in said
    assert "known weaknesses" not in said
    assert "Traceback" not in said


def test_nobody_there(lists: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # it does not listen
        code, said = audit(lists, f"http://127.0.0.1:{bound.getsockname()[1]}/")
    assert code == 0
    assert "audit skipped" in said


def test_a_silent_one_is_not_waited_for_long(lists: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        code, said = audit(lists, f"http://127.0.0.1:{bound.getsockname()[1]}/")
    assert code == 0
    assert "timed out" in said


def test_a_folder_without_lists_is_a_mistake(tmp_path: Path) -> None:
    code, said = audit(tmp_path, "http://127.0.0.1:1/")
    assert code == 1
    assert str(tmp_path) in said


def test_make_check_asks() -> None:
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\ncheck:")[1].split("\n\n")[0]
    assert "deploy/audit.py" in recipe

"""New versions handed out: whole, resumed, refused, and never during a line test of the address."""

from __future__ import annotations

import hashlib
import http.client
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.update import fetch
from agent.update.manifest import NotInstallable
from agent.wire.release import MANIFEST_PATH, ReleaseFile
from collector.lineserver.downloads import Downloads
from collector.lineserver.server import LineServer

DATA = bytes(range(256)) * 1000
WANTED = ReleaseFile("9.9.9", "linux", hashlib.sha256(DATA).hexdigest(), len(DATA))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[LineServer]:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / WANTED.sha256).write_bytes(DATA)
    (shelf / "manifest.json").write_bytes(b"{}")
    (tmp_path / "release.key").write_text("secret")
    server = LineServer("127.0.0.1", 0, lambda _: None, shelf=shelf)
    server.start()
    yield server
    server.stop()


def url(server: LineServer) -> str:
    return f"http://127.0.0.1:{server.port}{MANIFEST_PATH}"


def status(server: LineServer, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", path)
    found = connection.getresponse().status
    connection.close()
    return found


def test_a_file_comes_whole_and_goes_on_where_it_was_cut(
    served: LineServer, tmp_path: Path
) -> None:
    assert fetch.manifest(url(served)) == b"{}"
    folder, left = tmp_path / "pc", iter([True, True, False])
    with pytest.raises(fetch.Paused):
        fetch.file(url(served), WANTED, folder, lambda: next(left))
    part = folder / f"{WANTED.sha256}.part"
    have = part.stat().st_size
    assert 0 < have < len(DATA)
    done = False
    while not done:  # its address's place is free once the server has noticed
        try:
            whole = fetch.file(url(served), WANTED, folder, lambda: True)
            done = True
        except fetch.Paused:
            assert part.stat().st_size >= have
    assert whole.read_bytes() == DATA
    assert not part.exists()
    assert fetch.file("http://127.0.0.1:1/", WANTED, folder, lambda: True) == whole


def test_what_another_put_there_is_not_used(served: LineServer, tmp_path: Path) -> None:
    folder = tmp_path / "pc"
    folder.mkdir()
    part = folder / f"{WANTED.sha256}.part"
    part.write_bytes(b"\0" * len(DATA))
    with pytest.raises(NotInstallable, match="hash"):
        fetch.file(url(served), WANTED, folder, lambda: True)
    assert not part.exists(), "from its beginning, next time"
    assert fetch.file(url(served), WANTED, folder, lambda: True).read_bytes() == DATA


@pytest.mark.parametrize(
    "path",
    ["../release.key", "%2e%2e/release.key", "0" * 64, "", "manifest.json/", "MANIFEST.JSON"],
)
def test_nothing_else_is_handed_out(served: LineServer, path: str) -> None:
    assert status(served, f"/releases/{path}") == 404


def test_no_server_and_no_address_say_why(tmp_path: Path) -> None:
    for address in ("http://127.0.0.1:1/x", "https://city/x", "file:///etc/passwd", "http://[x"):
        with pytest.raises(NotInstallable, match="unreachable"):
            fetch.manifest(address)


def test_an_address_has_one_at_a_time_and_none_while_it_tests() -> None:
    testing: set[str] = set()
    downloads = Downloads(None, testing.__contains__, at_once=2)
    assert downloads.begin("a")
    assert not downloads.begin("a")
    assert downloads.begin("b")
    assert not downloads.begin("c"), "the server's own bound"
    downloads.end("a")
    testing.add("a")
    assert not downloads.begin("a")
    testing.clear()
    assert downloads.begin("a")


def test_a_test_that_begins_cuts_the_download(tmp_path: Path) -> None:

    (tmp_path / WANTED.sha256).write_bytes(DATA)
    begun = threading.Event()
    asked: list[str] = []

    def is_testing(address: str) -> bool:
        asked.append(address)
        return len(asked) > 2

    downloads = Downloads(tmp_path, is_testing, per_second=1e12)
    part = downloads.open(WANTED.sha256, "bytes=1000-")
    assert part is not None
    assert (part.start, part.size) == (1000, len(DATA))
    ours, theirs = socket.socketpair()
    reader = threading.Thread(
        target=lambda: [begun.set() for _ in iter(lambda: theirs.recv(65536), b"")]
    )
    reader.start()
    with part.file, ours, theirs:
        assert not downloads.pour(part, ours, "a")
        ours.close()
        reader.join()
    assert begun.is_set()
    assert 0 < downloads.sent_bytes < len(DATA) - 1000

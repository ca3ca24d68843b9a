"""The measurement server over real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
import zlib

import pytest

from agent.wire import LineRecord
from collector.lineserver import turns
from collector.lineserver.ledger import Ledger
from collector.lineserver.server import CannotListenError, LineServer

WISH = {"school": "9963010001", "machine": "ab" * 16, "line": "主线", "max_seconds": 5}


def test_a_test_from_turn_to_record(running):
    status, turn = running.ask("POST", "/v1/tests", WISH)
    assert status == 201
    assert turn["lease_s"] == 15.0
    path = turn["path"]
    assert b'upload_extension: "php"' in running.ask("GET", f"{path}/")[1]
    assert b'upload_extension: "php"' in running.ask("GET", f"{path}?x=1.0")[1]
    assert running.ask("GET", f"{path}/speedtest/latency.txt?x=1")[1].startswith(b"test=test")
    status, noise = running.ask("GET", f"{path}/speedtest/random350x350.jpg?x=1.0")
    assert (status, len(noise)) == (200, 2 * 350 * 350)
    body = b"content1=" + bytes(100_000)
    assert running.ask("POST", f"{path}/speedtest/upload.php?x=0", body)[1] == b"size=100009"
    status, seen = running.ask("POST", f"/v1/tests/{turn['id']}/done", {"ok": True})
    assert status == 200
    assert (seen["sent_bytes"], seen["received_bytes"]) == (245_000, 100_009)
    (record,) = running.records
    assert record.test == turn["id"]
    assert (record.school, record.machine, record.line) == tuple(list(WISH.values())[:3])
    assert (record.outcome, record.solo) == ("ok", True)
    assert (record.sent_bytes, record.received_bytes) == (245_000, 100_009)
    assert (record.address, type(record.server_limited)) == ("127.0.0.1", bool)


def test_the_noise_does_not_compress_and_differs(running):
    path = running.ask("POST", "/v1/tests", WISH)[1]["path"]
    first = running.ask("GET", f"{path}/speedtest/random500x500.jpg")[1]
    second = running.ask("GET", f"{path}/speedtest/random500x500.jpg")[1]
    assert len(zlib.compress(first)) > 0.99 * len(first)
    assert first != second


def test_a_second_test_of_the_line_is_told_to_wait(running):
    turn = running.ask("POST", "/v1/tests", WISH)[1]
    status, busy = running.ask("POST", "/v1/tests", {**WISH, "machine": "cd" * 16})
    assert status == 409
    assert busy["answer"] == "busy"
    assert 1 <= busy["retry_s"] <= 15
    assert running.ask("POST", "/v1/tests", {**WISH, "line": "备线"})[0] == 201
    running.ask("POST", f"/v1/tests/{turn['id']}/done", {})
    assert running.ask("POST", "/v1/tests", WISH)[0] == 201


def test_a_hundred_asking_at_once_get_one_turn(running):
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(running.ask("POST", "/v1/tests", WISH)[0]))
        for _ in range(100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [409] * 99


def test_no_bytes_without_a_turn(running):
    turn = running.ask("POST", "/v1/tests", WISH)[1]
    running.ask("POST", f"/v1/tests/{turn['id']}/done", {})
    for path in (turn["path"], "/t/" + "0" * 32, "", "/t/../etc/passwd", "/speedtest"):
        assert running.ask("GET", f"{path}/speedtest/random4000x4000.jpg")[0] == 404
    assert running.ask("POST", f"{turn['path']}/speedtest/upload.php", b"x" * 100)[0] == 404
    assert running.ask("POST", f"/v1/tests/{turn['id']}/done", {})[0] == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", {**WISH, "school": "12"}, {**WISH, "school": 9963010001},
     {**WISH, "machine": "zz"}, {**WISH, "max_seconds": 0}, {**WISH, "max_seconds": 9999},
     {**WISH, "line": "x" * 300}, b"[" * 30_000, b"x" * 70_000],
)  # fmt: skip
def test_wishes_that_are_none(running, body):
    assert running.ask("POST", "/v1/tests", body)[0] in (400, 413)
    assert running.ask("GET", "/healthz")[1]["granted"] == 0


@pytest.mark.parametrize(
    "name", ["random350x500.jpg", "random0x0.jpg", "random99999x99999.jpg", "x"]
)
def test_sizes_that_are_none(running, name):
    path = running.ask("POST", "/v1/tests", WISH)[1]["path"]
    assert running.ask("GET", f"{path}/speedtest/{name}")[0] == 404


def test_health(running):
    running.ask("POST", "/v1/tests", WISH)
    running.ask("POST", "/v1/tests", WISH)
    status, health = running.ask("GET", "/healthz")
    assert status == 200
    assert (health["status"], health["granted"], health["busy"]) == ("ok", 1, 1)


def test_an_expired_lease_cuts_the_load_and_makes_a_record(served):
    clock = _Clock()
    ended = threading.Event()
    records: list[LineRecord] = []

    def keep(record: LineRecord) -> None:
        records.append(record)
        ended.set()

    running = served(keep, Ledger(keep, clock=clock))
    turn = running.ask("POST", "/v1/tests", WISH)[1]
    connection = running.connect()
    connection.request("GET", f"{turn['path']}/speedtest/random9000x9000.jpg")
    reply = connection.getresponse()
    got = 0
    for _ in range(int(turn["lease_s"]) - 1):  # a slow line: what is not read stays in the buffers
        got += len(reply.read(400_000))
        clock.looked_at(2)
        clock.now += 1
    clock.looked_at(2)
    assert not ended.is_set(), "its lease lasts"
    clock.now += 1
    assert ended.wait(120)
    with contextlib.suppress(OSError):
        while block := reply.read1(1 << 20):
            got += len(block)
    connection.close()
    assert got < 162_000_000
    (record,) = records
    assert record.outcome == "expired"
    assert record.down_mbps > 0
    assert record.seconds == turn["lease_s"]
    assert running.ask("POST", "/v1/tests", WISH)[0] == 201


class _Clock:
    """The server's time, which stands until the test sets it, and who has asked for it."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0
        self._asked = threading.Semaphore(0)

    def __call__(self) -> float:
        self._asked.release()
        return self.now

    def looked_at(self, times: int) -> None:
        """Wait until it was asked so many times more: by then the sampler has looked."""
        while self._asked.acquire(blocking=False):
            pass
        for _ in range(times):
            assert self._asked.acquire(timeout=120)


def test_an_agent_that_gives_up_says_so(running):
    turn = running.ask("POST", "/v1/tests", WISH)[1]
    running.ask("POST", f"/v1/tests/{turn['id']}/done", {"ok": False})
    assert running.records[0].outcome == "abandoned"


def test_garbage_does_no_harm(running):
    for data in (
        b"\x00" * 1000,
        b"GET\r\n\r\n",
        b"POST /v1/tests HTTP/1.1\r\n\r\n",
        b"",
        b"GET / H",
    ):
        with socket.create_connection(("127.0.0.1", running.server.port), timeout=120) as raw:
            raw.sendall(data)
            raw.shutdown(socket.SHUT_WR)
            raw.recv(1000)
    assert running.ask("GET", "/healthz")[0] == 200


def test_a_port_in_use_is_reported_clearly(running):
    with pytest.raises(CannotListenError, match=f"{running.server.port} 端口已被占用"):
        LineServer("127.0.0.1", running.server.port, lambda record: None)


def test_a_record_that_cannot_be_kept_stops_nothing():
    def full(record: LineRecord) -> None:
        raise OSError("disk full")

    server = LineServer("127.0.0.1", 0, full)
    server.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port)):
            pass
        server._ledger.close(server._ledger.ask(turns.Wish("9963010001", "ab" * 16, "a")), "ok")
        assert server.counts.failed_records == 1
    finally:
        server.stop()


def test_stop_ends_the_tests_that_run():
    records: list[LineRecord] = []
    server = LineServer("127.0.0.1", 0, records.append)
    server.start()
    server._ledger.ask(turns.Wish("9963010001", "ab" * 16, "a"))
    server.stop()
    assert [record.outcome for record in records] == ["abandoned"]

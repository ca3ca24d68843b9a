"""The measurement server under attack: by the holder of one school's key, and of none."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent.common import signing
from agent.wire import LineRecord
from collector.lineserver import keys
from collector.lineserver.front import Bounds
from collector.lineserver.ledger import Ledger
from collector.lineserver.server import LineServer
from collector.lineserver.turns import MAX_OF_SCHOOL, MAX_TESTS, Answer, Limits, Wish

A, B = "9963010001", "9963010002"
MACHINE = "ab" * 16
LINE = "主线"
WISH = {"school": A, "machine": MACHINE, "line": LINE, "max_seconds": 5}
Answered = tuple[int, Any]


def registered(wish: Wish) -> Limits | Answer:
    """Each school has the lines 主线 and L0 to L9."""
    known = {LINE, *(f"L{n}" for n in range(10))}
    return Limits(by_hand=1000, month_bytes=10**12) if wish.line in known else "unknown_line"


class City(NamedTuple):
    server: LineServer
    folder: Path
    records: list[LineRecord]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), 120)

    def get(self, path: str) -> Answered:
        return self._asked("GET", path, b"", "")

    def ask(self, school: str, line: str = LINE, key: str = "", **more: Any) -> Answered:
        """Ask for a turn, signed with a key of `school`, as an agent does."""
        body = json.dumps({**WISH, "school": school, "line": line, **more}).encode()
        status, answer = self._asked("POST", "/v1/tests", body, "")
        if status != 401:
            return status, answer
        key = key or (self.folder / f"{school}.key").read_text().strip()
        signed = signing.header(key, school, "POST", "/v1/tests", answer["nonce"], body)
        return self._asked("POST", "/v1/tests", body, signed)

    def _asked(self, method: str, path: str, body: bytes, authorization: str) -> Answered:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        connection.request(method, path, body or None, {"Authorization": authorization})
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        is_json = reply.headers["Content-Type"] == "application/json"
        return reply.status, json.loads(content) if is_json else content.decode("latin-1")

    @property
    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/healthz")[1]
        return found


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., City]]:
    """Starts a server with keys for A and B; `bounds` as given."""
    folder = tmp_path / "keys"
    for school in (A, B):
        keys.make(folder, school)
    with contextlib.ExitStack() as stack:

        def start(**bounds: Any) -> City:
            records: list[LineRecord] = []
            ledger = Ledger(records.append, limits=registered)
            held = keys.Keys(folder)
            server = LineServer("127.0.0.1", 0, records.append, ledger, held, Bounds(**bounds))
            server.start()
            stack.callback(server.stop)
            return City(server, folder, records)

        yield start


@pytest.fixture
def city(serve: Callable[..., City]) -> City:
    return serve()


def ended(connection: socket.socket) -> bytes:
    """What a connection brings until the server closes it."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while block := connection.recv(65536):
            data += block
    return data


# ---- with the key of one school


def test_lines_that_no_register_has_are_not_tested(city: City) -> None:
    for n in range(60):
        assert city.ask(A, f"invented {n}")[0] in (403, 503)
    health = city.health
    assert health["granted"] == 0
    assert [A, "unknown_line", 60] in health["refused_of"]
    assert city.ask(A)[0] == 201


def test_a_key_is_worth_nothing_for_another_school(city: City) -> None:
    key = (city.folder / f"{A}.key").read_text().strip()
    assert city.ask(B, key=key)[0] == 403
    assert [B, "wrong_key", 1] in city.health["refused_of"]


def test_one_key_takes_two_places_whatever_lines_it_has(city: City) -> None:
    answers = [city.ask(A, f"L{n}") for n in range(10)]
    assert sum(status == 201 for status, _ in answers) == MAX_OF_SCHOOL
    full = [body for status, body in answers if status == 503]
    assert {body["answer"] for body in full} == {"full"}, "a word that agents know"
    assert city.ask(B)[0] == 201


def test_four_keys_leave_the_places_to_others(city: City) -> None:
    four = [f"996302000{n}" for n in range(4)]
    for school in four:
        keys.make(city.folder, school)
        for n in range(10):
            city.ask(school, f"L{n}")
    assert city.health["running"] == len(four) * MAX_OF_SCHOOL < MAX_TESTS
    assert city.ask(B)[0] == 201


def test_a_key_at_full_speed_does_not_keep_another_school_out(city: City) -> None:
    key = (city.folder / f"{A}.key").read_text().strip()
    over = threading.Event()
    taken: list[int] = []

    def flood() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                taken.append(city.ask(A, "L0", key)[0])

    threads = [threading.Thread(target=flood) for _ in range(8)]
    for thread in threads:
        thread.start()
    try:
        for n in range(5):
            status, turn = city.ask(B, f"L{n}")
            assert status == 201
            noise = city.get(f"{turn['path']}/speedtest/random350x350.jpg")
            assert noise[0] == 200
            done = city._asked("POST", f"/v1/tests/{turn['id']}/done", b"{}", "")
            assert (done[0], done[1]["sent_bytes"]) == (200, 245_000)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert 503 in taken or 409 in taken
    assert taken.count(201) <= 1


def test_signed_requests_without_end_are_refused_by_name(tmp_path: Path) -> None:
    keys.make(tmp_path, A)
    key = (tmp_path / f"{A}.key").read_text().strip()
    now = [0.0]
    held = keys.Keys(tmp_path, lambda: now[0])

    def signed(nonce: str) -> str:
        header = signing.header(key, A, "POST", "/v1/tests", nonce, b"")
        return held.refuse(A, keys.Request("POST", "/v1/tests", b"", header))

    found = [signed(held.nonce()) for _ in range(150)]
    assert found == [""] * 100 + ["too often"] * 50
    now[0] += 10
    replayed = held.nonce()
    assert [signed(replayed), signed(replayed)] == ["", "stale nonce"]
    for _ in range(100):
        now[0] += 61
        signed(held.nonce())
    assert len(held._used) == len(held._order) == 1, "nonces that are old are forgotten"


def test_whoever_has_no_key_uses_up_no_schools_share(tmp_path: Path) -> None:
    keys.make(tmp_path, A)
    held = keys.Keys(tmp_path)
    for _ in range(500):
        header = signing.header("x" * 64, A, "POST", "/v1/tests", held.nonce(), b"")
        assert held.refuse(A, keys.Request("POST", "/v1/tests", b"", header)) == "wrong key"
    key = (tmp_path / f"{A}.key").read_text().strip()
    header = signing.header(key, A, "POST", "/v1/tests", held.nonce(), b"")
    assert held.refuse(A, keys.Request("POST", "/v1/tests", b"", header)) == ""


def test_the_former_key_is_accepted_while_there_is_a_newer_one(city: City) -> None:
    former = (city.folder / f"{A}.key").read_text().strip()
    (city.folder / f"{A}.key").rename(city.folder / f"{A}.previous.key")
    assert city.ask(A, key=former)[0] == 403, "alone it is worth nothing"
    keys.make(city.folder, A)
    assert city.ask(A, "L0", key=former)[0] == 201
    assert city.ask(A, "L1")[0] == 201


def test_a_revoked_keys_tests_end(city: City) -> None:
    _, turn = city.ask(A)
    assert city.ask(B)[0] == 201
    with city.connect() as loads:
        loads.sendall(f"GET {turn['path']}/speedtest/random9000x9000.jpg HTTP/1.1\r\n\r\n".encode())
        assert loads.recv(100)
        (city.folder / f"{A}.key").unlink()
        while not city.records:
            threading.Event().wait(0.05)
        assert len(ended(loads)) < 2 * 9000 * 9000
    assert city.get(f"{turn['path']}/speedtest/random350x350.jpg")[0] == 404
    assert [(record.school, record.outcome) for record in city.records] == [(A, "abandoned")]
    assert city.health["running"] == 1
    assert [A, "key_gone", 1] in city.health["refused_of"]


def test_a_tests_transfers_are_bounded(city: City) -> None:
    _, turn = city.ask(A)
    head = f"POST {turn['path']}/speedtest/upload.php HTTP/1.1\r\nContent-Length: 9999\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(city.connect()).sendall(head.encode())
        last = stack.enter_context(city.connect())
        last.sendall(head.encode())
        assert ended(last) == b""
        assert city.ask(B)[0] == 201
    health = city.health
    assert sum(n for _, why, n in health["refused_of"] if why == "too_many_transfers") == 9


def test_a_line_whose_month_is_used_up_is_cut(tmp_path: Path) -> None:
    records: list[LineRecord] = []
    cut = threading.Event()

    def keep(record: LineRecord) -> None:
        records.append(record)
        cut.set()

    server = LineServer("127.0.0.1", 0, keep, Ledger(keep, limits=lambda _: Limits(month_bytes=1)))
    server.start()
    try:
        city = City(server, tmp_path, records)
        _, turn = city.ask(A, max_seconds=120)
        city.get(f"{turn['path']}/speedtest/random350x350.jpg")
        assert cut.wait(60)
        assert records[0].outcome == "expired"
        assert city.ask(A)[1]["answer"] == "enough"
    finally:
        server.stop()


# ---- without any key


def test_a_thousand_silent_connections_keep_nobody_out(city: City) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(city.connect())
        assert city.ask(A)[0] == 201
        health = city.health
        assert health["waiting"] <= Bounds().of_address
        assert health["cut"]["address_full"] >= 1000 - Bounds().of_address
        assert threading.active_count() < 50


def test_silent_connections_are_cut(serve: Callable[..., City]) -> None:
    city = serve(idle_s=0.1)
    with city.connect() as silent:
        assert ended(silent) == b""
    assert city.health["cut"]["idle"] == 1


@pytest.mark.parametrize(
    "start",
    [
        b"GET / HTTP/1.1\r\nX-A: ",
        b"POST /v1/tests HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
        b"POST /v1/tests/" + b"0" * 32 + b"/done HTTP/1.1\r\nContent-Length: 99\r\n\r\n",
    ],
    ids=["head", "body", "end"],
)
def test_a_request_has_its_time_as_a_whole(serve: Callable[..., City], start: bytes) -> None:
    city = serve(request_s=0.5, idle_s=60)
    over = threading.Event()
    with city.connect() as slow:
        slow.sendall(start)

        def drip() -> None:
            with contextlib.suppress(OSError):
                while not over.wait(0.05):  # it never falls silent
                    slow.send(b"1")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert ended(slow) == b""
        finally:
            over.set()
            thread.join()
    assert city.health["cut"]["slow_request"] == 1


def test_an_addresss_newest_connections_are_served(serve: Callable[..., City]) -> None:
    city = serve(of_address=3)
    with contextlib.ExitStack() as stack:
        first, *others = [stack.enter_context(city.connect()) for _ in range(4)]
        assert ended(first) == b""
        for one in others[1:]:
            one.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            assert one.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_a_full_server_cuts_the_address_that_has_most(serve: Callable[..., City]) -> None:
    city = serve(waiting=4)
    with contextlib.ExitStack() as stack:
        other = socket.socket()
        other.bind(("127.0.0.2", 0))
        other.connect(("127.0.0.1", city.server.port))
        stack.enter_context(other)
        many = [stack.enter_context(city.connect()) for _ in range(4)]
        assert ended(many[0]) == b""
        other.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
        assert other.recv(4096).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
        b"\x00" * 5000,
        b"\xff\xd8\xff",
        b"SSH-2.0-x\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"x" * 20_000,
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1_300 + b"\r\n",
    ],
    ids=["tls", "zeros", "jpeg", "ssh", "lower", "header", "path", "headers"],
)
def test_what_is_no_request_ends_at_once(city: City, data: bytes) -> None:
    with city.connect() as raw:
        with contextlib.suppress(ConnectionError):
            raw.sendall(data)
        assert ended(raw)[:13] in (b"HTTP/1.1 400 ", b"HTTP/1.1 431 ", b"")
    assert city.ask(A)[0] == 201


@pytest.mark.parametrize(
    "data",
    [
        b"POST /v1/tests HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /v1/tests HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/tests HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 9000,
        b"POST /v1/tests HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
        b"BREW /coffee HTTP/1.1\r\n\r\n",
        b"POST /v1/tests HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
    ],
)
def test_a_request_that_makes_no_sense_is_answered_and_closed(city: City, data: bytes) -> None:
    with city.connect() as raw:
        raw.sendall(data)
        status = int(ended(raw)[9:12])
        assert 400 <= status < 600
    assert city.ask(A)[0] == 201


def test_pipelined_requests_are_answered_in_order(city: City) -> None:
    with city.connect() as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\n\r\n" * 20 + b"GET /x HTTP/1.1\r\n\r\n")
        found = ended(raw)
    assert found.count(b"HTTP/1.1 200 ") == 20
    assert found.count(b"HTTP/1.1 404 ") == 1


def test_a_half_closed_connection_gets_its_answer(city: City) -> None:
    with city.connect() as raw:
        raw.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
        raw.shutdown(socket.SHUT_WR)
        assert ended(raw).startswith(b"HTTP/1.1 200 ")
    with city.connect() as raw:
        raw.sendall(b"GET /healthz HT")
        raw.shutdown(socket.SHUT_WR)
        assert ended(raw) == b""


def test_resets_without_end_keep_nobody_out(city: City) -> None:
    for n in range(300):
        raw = city.connect()
        raw.sendall((b"", b"GET /", b"GET /healthz HTTP/1.1\r\n\r\n")[n % 3])
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()
    assert city.ask(A)[0] == 201


def test_nonces_cost_the_server_nothing(city: City) -> None:
    for _ in range(300):
        assert city._asked("POST", "/v1/tests", json.dumps(WISH).encode(), "")[0] == 401
    assert city.server._keys._used == set()
    assert city.ask(A)[0] == 201


def test_a_client_that_reads_no_answers_holds_no_thread(city: City) -> None:
    """Its answers to pings fill the connection, which is closed then."""
    _, turn = city.ask(A)
    ping = f"GET {turn['path']}/speedtest/latency.txt HTTP/1.1\r\n\r\n".encode()
    with city.connect() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        with contextlib.suppress(OSError):
            for _ in range(20_000):
                deaf.sendall(ping)
        assert city.ask(B)[0] == 201


def test_refusals_by_school_are_told_to_this_machine_and_in_prometheus_form(city: City) -> None:
    city.ask(A, "none")
    _, text = city.get("/metrics")
    assert f'schoolpulse_lineserver_refused_total{{reason="unknown_line",school="{A}"}} 1' in text
    _, answer = city.ask(A, "none")
    assert answer["reason"] == "unknown_line"
    assert "lines" in answer["error"]

"""The measurement server under attack by somebody who holds no key."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.common import signing
from attacked_server import WISH, A, City, ended
from collector.lineserver import keys
from collector.lineserver.front import Bounds


def test_whoever_has_no_key_uses_up_no_schools_share(tmp_path: Path) -> None:
    keys.make(tmp_path, A)
    held = keys.Keys(tmp_path)
    for _ in range(500):
        header = signing.header("x" * 64, A, "POST", "/v1/tests", held.nonce(), b"")
        assert held.refuse(A, keys.Request("POST", "/v1/tests", b"", header)) == "wrong key"
    key = (tmp_path / f"{A}.key").read_text().strip()
    header = signing.header(key, A, "POST", "/v1/tests", held.nonce(), b"")
    assert held.refuse(A, keys.Request("POST", "/v1/tests", b"", header)) == ""


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

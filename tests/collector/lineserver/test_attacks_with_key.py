"""The measurement server under attack by the holder of one school's key."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
from ipaddress import ip_network
from pathlib import Path

import pytest

from agent.common import signing
from agent.wire import LineRecord
from attacked_server import A, B, City, ended
from collector.compliance.networks import inside
from collector.lineserver import keys
from collector.lineserver.ledger import Ledger
from collector.lineserver.server import LineServer
from collector.lineserver.turns import MAX_OF_SCHOOL, MAX_TESTS, Limits


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


def test_the_former_key_is_accepted_while_there_is_a_newer_one(city: City) -> None:
    former = (city.folder / f"{A}.key").read_text().strip()
    (city.folder / f"{A}.key").rename(city.folder / f"{A}.previous.key")
    assert city.ask(A, key=former)[0] == 403, "alone it is worth nothing"
    keys.make(city.folder, A)
    assert city.ask(A, "L0", key=former)[0] == 201
    assert city.ask(A, "L1")[0] == 201


@pytest.mark.parametrize("helpers", [1, 30])
def test_a_helper_elsewhere_who_loads_for_the_school_shows(city: City, helpers: int) -> None:
    """A PC of the school asks; who was told the test's id loads it on a faster line.

    Thirty fill the record's field, as if to push one of them out of it.
    """
    _, turn = city.ask(A)
    addresses = ["127.0.0.1", *(f"127.0.1.{n}" for n in range(1, helpers + 1))]
    for address in addresses:
        page = f"{turn['path']}/speedtest/random350x350.jpg"
        get = f"GET {page} HTTP/1.1\r\nConnection: close\r\n\r\n"
        with socket.create_connection(("127.0.0.1", city.server.port), 120, (address, 0)) as loads:
            loads.sendall(get.encode())
            assert len(ended(loads)) > 2 * 350 * 350
    assert city._asked("POST", f"/v1/tests/{turn['id']}/done", b"{}", "")[0] == 200
    (record,) = city.records
    assert "127.0.0.1" in record.address
    assert "127.0.1." in record.address
    assert not inside(record.address, [ip_network("127.0.0.1/32")])


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

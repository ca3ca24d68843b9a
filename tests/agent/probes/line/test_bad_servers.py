"""Servers that are dead, wrong or broken: a named outcome each, in time, and no figure."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from agent.common.vocabulary.reasons import FAILED
from agent.probes.line.probe import measure
from agent.wire.postponed import Postponed

#: A fault ends a test at once, so this is what a slow machine may take; that the limit is kept
#: is held by test_line_limit.py.
LIMIT = 120.0


SEEN = {"sent_bytes": 10**9, "received_bytes": 0, "down": [], "up": [], "solo": True,
        "server_limited": False}  # fmt: skip


def failed(url: str, who: dict[str, str], outcome: str, limit: float = LIMIT) -> str:
    test = measure(url, **who, max_seconds=limit)
    assert test.outcome == outcome, test.reason
    assert (test.down_mbps, test.up_mbps, test.down_low, test.latency_ms) == (None,) * 4
    assert test.reason in FAILED
    return f"{test.reason} {test.detail}"


def test_nobody_listens(who):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    failed(f"http://127.0.0.1:{port}", who, "unreachable")


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "http://", "http://127.0.0.1:x", "nonsense", "http://[::1"]
)
def test_no_address_at_all(who, url):
    failed(url, who, "unreachable")


def test_a_name_that_nobody_knows(who):
    failed("http://measurement.invalid:8095", who, "unreachable")


def test_a_server_that_says_nothing(who):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        reason = failed(url, who, "unreachable", 2.0)
    assert "no_answer" in reason


@pytest.mark.parametrize("status", [400, 403, 404, 500, 302])
def test_refusals_of_the_turn(raw_server, who, status):
    url = raw_server(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)
    assert str(status) in failed(url, who, "refused")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"<html>login</html>", b'{"id":1}', b"\xff\xfe",
             b'{"id":"a","path":"x","lease_s":5}', b"[" * 100_000],
)  # fmt: skip
def test_a_turn_that_is_no_turn(raw_server, who, body):
    url = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    failed(url, who, "garbled")


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\x01\x02\x03" * 100, b"HTTP/1.1 banana\r\n\r\n",
               b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"],
)  # fmt: skip
def test_what_is_not_http(raw_server, who, answer):
    failed(raw_server(answer), who, "garbled")


@pytest.mark.parametrize(
    ("status", "answer"), [(409, "busy"), (409, "enough"), (409, "later"), (503, "full")]
)
def test_why_it_is_not_our_turn_is_told_with_its_time(raw_server, who, status, answer):
    body = b'{"answer":"%s","retry_s":17}' % answer.encode()
    head = b"HTTP/1.1 %d No\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    assert measure(raw_server(head + body), **who, max_seconds=LIMIT) == Postponed(answer, 17)


def test_a_key_that_is_wanted_and_missing_is_named(raw_server, who):
    body = b'{"error":"not signed","nonce":"x"}'
    url = raw_server(b"HTTP/1.1 401 No\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    assert "key_missing" in failed(url, who, "refused")


def swallow(request: Any) -> None:
    left = int(request.headers["Content-Length"])
    while left > 0 and (block := request.rfile.read1(min(left, 1 << 16))):
        left -= len(block)


def mini(request: Any, replies: Any) -> None:
    """What speedtest-cli wants before it loads."""
    if "latency" in request.path:
        replies(request, 200, b"test=test\n")
    elif request.command == "POST":
        swallow(request)
        replies(request, 200, b"size=500")
    else:
        replies(request, 200, b'upload_extension: "php"')


@pytest.mark.parametrize("status", [403, 404, 500])
def test_all_paths_refused_after_the_turn(odd_server, replies, who, status):
    url = odd_server(lambda request: replies(request, status, b"no"))
    failed(url, who, "refused")


def test_all_paths_answered_with_a_login_page(odd_server, replies, who):
    url = odd_server(lambda request: replies(request, 200, b"<html>please log in</html>"))
    failed(url, who, "garbled")


@pytest.mark.parametrize("status", [403, 404, 503, 302])
def test_downloads_refused(odd_server, replies, who, status):
    def answer(request: Any) -> None:
        if "random" in request.path:
            replies(request, status, b"no")
        else:
            mini(request, replies)

    failed(odd_server(answer), who, "refused")


def test_half_a_body(odd_server, replies, who):
    def answer(request: Any) -> None:
        if "random" not in request.path:
            mini(request, replies)
            return
        request.send_response(200)
        request.send_header("Content-Length", "32000000")
        request.end_headers()
        request.wfile.write(b"x" * 100_000)
        request.close_connection = True

    assert "cut_short" in failed(odd_server(answer), who, "garbled")


def test_downloads_of_nothing(odd_server, replies, who):
    def answer(request: Any) -> None:
        if "random" in request.path:
            replies(request, 200, b"")
        else:
            mini(request, replies)

    failed(odd_server(answer), who, "too_slow")


def test_uploads_refused(odd_server, replies, who):
    def answer(request: Any) -> None:
        if request.command == "POST":
            request.rfile.read(1000)
            request.close_connection = True
            replies(request, 403, b"no")
        elif "random" in request.path:
            replies(request, 200, bytes(2_000_000))
        else:
            mini(request, replies)

    test = measure(odd_server(answer), **who, max_seconds=LIMIT)
    assert test.outcome in ("refused", "unreachable")  # a reset may overtake the 403
    assert test.down_mbps is None


def test_a_cache_on_the_way_is_noticed(odd_server, replies, who):
    """More payload than the server says it sent; how much of it a slow PC gets is the same."""

    def answer(request: Any) -> None:
        if "random" in request.path:
            replies(request, 200, bytes(2_000_000))
        else:
            mini(request, replies)

    answer.seen = {**SEEN, "sent_bytes": 1_000_000}  # type: ignore[attr-defined]
    assert "cached" in failed(odd_server(answer), who, "garbled")


@pytest.mark.parametrize("retry_s", ["-5", "0", "true", "1e3", "1" + "0" * 30])
def test_no_time_to_come_back_makes_us_hurry_or_stay_away(raw_server, who, retry_s):
    body = f'{{"answer":"busy","retry_s":{retry_s}}}'.encode()
    url = raw_server(b"HTTP/1.1 409 No\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    said = measure(url, **who, max_seconds=LIMIT)
    if isinstance(said, Postponed):
        assert 1 <= said.retry_s <= 86_400
    else:
        assert said.outcome == "garbled"


@pytest.mark.parametrize("ident", ["", "x" * 5000, "../../done", "A" * 32])
def test_an_id_that_is_none(raw_server, who, ident):
    body = json.dumps({"id": ident, "path": "/t/1", "lease_s": 5}).encode()
    url = raw_server(b"HTTP/1.1 201 Ok\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    failed(url, who, "garbled")


FAST = [[i / 10, 10**12 * i] for i in range(20)]


@pytest.mark.parametrize(
    "lie",
    [{"down": [1, 2]}, {"down": [["a", 1]] * 20}, {"up": [[0]]}, {"down_frames": 5},
     {"loss_share": "x"}, {"loss_share": 7}, {"sent_bytes": True}, {"up_frames": FAST},
     {"down": [[0, float("nan")]]}],
)  # fmt: skip
def test_what_the_server_saw_is_garbage(odd_server, replies, who, lie):
    def answer(request: Any) -> None:
        if "random" in request.path:
            replies(request, 200, bytes(8_000_000))
        else:
            mini(request, replies)

    answer.seen = {**SEEN, **lie}  # type: ignore[attr-defined]
    failed(odd_server(answer), who, "garbled")

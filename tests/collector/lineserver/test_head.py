"""What the beginning of a connection says of its request."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.lineserver.addresses import Rates, group, plain
from collector.lineserver.head import MAX_HEAD, Fault, missing, pinged
from collector.lineserver.head import test_of as carried

TEST = "0123456789abcdef" * 2
BODY = b"POST /v1/tests HTTP/1.1\r\nHost: x\r\ncontent-length: 12\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "lacks"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 0),
        (b"GET / HTTP/1.1\n\n", 0),
        (b"GET / HTTP/1.1\r\n", 1),
        (b"GE", 1),
        (b"\r\n", 1),
        (BODY, 12),
        (BODY + b"x" * 11, 1),
        (BODY + b"x" * 12, 0),
        (BODY.replace(b"12", b"999999"), 0),
        (f"POST /t/{TEST}/speedtest/upload.php HTTP/1.1\r\nContent-Length: 9\r\n\r\n".encode(), 0),
    ],
)
def test_what_a_request_lacks(data: bytes, lacks: int) -> None:
    assert missing(data) == lacks


@pytest.mark.parametrize("data", [b"\0", b"get ", b"\x16\x03\x01", b"A" * 17, b"G\0", b"[{"])
def test_what_is_none(data: bytes) -> None:
    assert isinstance(missing(data), Fault)


@given(st.binary(max_size=50).filter(lambda data: b"\n" not in data))
def test_a_head_is_never_waited_for_beyond_its_limit(data: bytes) -> None:
    assert isinstance(missing(b"GET /" + data + b"a" * MAX_HEAD), Fault)
    assert isinstance(missing(data + b"a" * MAX_HEAD), Fault)


@given(st.binary(max_size=200), st.integers(0, 200))
def test_what_is_none_stays_none_however_much_follows(data: bytes, cut: int) -> None:
    if isinstance(missing(data[:cut]), Fault):
        assert isinstance(missing(data), Fault)


def test_a_request_names_its_test() -> None:
    path = f"/t/{TEST}/speedtest"
    assert carried(f"GET {path}/random350x350.jpg".encode()) == TEST
    assert carried(f"POST {path}/upload.php".encode()) == TEST
    assert carried(f"GET {path}/latency.txt".encode()) == ""
    assert pinged(f"GET {path}/latency.txt?x=1 HTTP/1.1\r\n\r\n".encode()) == TEST
    assert pinged(f"GET {path}/latency.txt HTTP/1.1\r\n\r\nGET".encode()) == "", "another follows"
    assert pinged(b"GET /t/x/speedtest/latency.txt HTTP/1.1\r\n\r\n") == ""


def test_who_counts_as_one() -> None:
    assert group("::ffff:10.1.2.3") == group("10.1.2.3") != group("10.1.2.4")
    assert group("2001:db8::1") == group("2001:db8::ffff:2") != group("2001:db8:0:1::1")
    assert plain("fe80::1%eth0") is not None
    assert plain("nobody") is None


def test_a_sender_has_its_share_and_takes_no_others() -> None:
    rates = Rates(10.0, 20.0)
    assert [rates.take("a", 0.0) for _ in range(25)] == [True] * 20 + [False] * 5
    assert rates.take("b", 0.0)
    assert [rates.take("a", 0.5) for _ in range(6)] == [True] * 5 + [False]
    rates.forget(1.9)
    assert not rates.take("a", 0.5)
    rates.forget(100.0)
    assert rates._left == {}

"""What a proxy answers, and proxies that never work: by sockets alone, without a broker."""

from __future__ import annotations

import socket
import threading
import time

import pytest

import services
from agent.common.broker_settings import AgentBroker, Proxy
from agent.mqtt import proxy
from connect_proxy import connect_proxy

REFUSALS = {
    b"HTTP/1.1 403 Forbidden\r\n\r\n": ("refuses", 403),
    b"HTTP/1.0 407 Proxy Authentication Required\r\nA: b\r\n\r\n": ("username or password", 407),
    b"HTTP/1.1 502 Bad Gateway\r\n\r\n": ("502", 502),
    b"SSH-2.0-OpenSSH_9.2\r\n\r\n": ("does not speak HTTP", 0),
    b"HTTP/1.1 20\r\n\r\n": ("does not speak HTTP", 0),
    b"HTTP/1.1 200 OK\r\n": ("closed", 0),
    b"A" * 40_000: ("no end", 0),
    b"\r\n\r\n": ("does not speak HTTP", 0),
    b"\xff\xfe\r\n\r\n": ("does not speak HTTP", 0),
}


@pytest.mark.parametrize("answer", REFUSALS, ids=lambda data: repr(data[:24]))
def test_what_a_proxy_answers_is_said(answer: bytes) -> None:
    text, status = REFUSALS[answer]
    with connect_proxy(answer=answer) as between:
        given = Proxy("127.0.0.1", between.port, "school", "secret")
        with pytest.raises(proxy.ProxyError, match=text) as error:
            proxy.through(given, "broker.example", 8883, 5)
    assert error.value.status == status
    assert "secret" not in f"{error.value}{given}"


def test_a_silent_proxy_is_given_up() -> None:
    with connect_proxy(answer=None) as between:
        began = time.monotonic()
        with pytest.raises(proxy.ProxyError, match="does not answer"):
            proxy.through(Proxy("127.0.0.1", between.port), "broker.example", 8883, 0.3)
        assert time.monotonic() - began < 120, "not the system's own patience"


def test_a_proxy_that_drips_is_given_up() -> None:
    """A byte now and then renews no deadline."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def drip() -> None:
            client, _ = listener.accept()
            with client:
                while not stop.wait(0.05):
                    try:
                        client.send(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(proxy.ProxyError, match="does not answer"):
                proxy.through(Proxy("127.0.0.1", listener.getsockname()[1]), "b", 1, 0.5)
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize("host", ["no-such-proxy.invalid", "127.0.0.1"])
def test_a_proxy_that_is_not_there_is_named(host: str) -> None:
    given = Proxy(host, services.free_port(), "school", "secret")
    with pytest.raises(proxy.ProxyError, match=f"proxy {host}:{given.port} cannot be reached"):
        proxy.through(given, "broker.example", 8883, 5)


@pytest.mark.parametrize(
    "url",
    [
        "proxy:3128", "https://proxy:3128", "socks5://proxy:1080", "http://proxy",
        "http://:3128", "http://proxy:99999", "http://proxy:x", "http://proxy:3128/path",
        "http://user:p@ss@word@proxy", "http://[::1", "3128",
    ],
)  # fmt: skip
def test_a_proxy_that_can_never_work_is_refused_before_any_connection(url: str) -> None:
    with pytest.raises(ValueError, match=r"broker\.proxy") as error:
        AgentBroker(proxy=url)
    assert "p@ss" not in str(error.value)


def test_addresses_of_version_6_stand_in_brackets() -> None:
    request = proxy._request(Proxy("p", 1), "fd00::7", 8883)
    assert request.startswith(b"CONNECT [fd00::7]:8883 HTTP/1.1\r\nHost: [fd00::7]:8883\r\n")
    assert b"Proxy-Authorization" not in request

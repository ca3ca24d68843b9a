"""What the doctor says of the way to the broker: proxies, WebSocket, renewed accounts."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

import services
from accounts_broker import AccountsBroker
from agent import renewed
from agent.common import language
from agent.common.broker_settings import AgentBroker
from agent.common.checks import Check
from agent.config import Config
from agent.doctor.broker import BrokerChecks
from agent.wire import Renewal
from connect_proxy import connect_proxy
from pki import Ca

SCHOOL = "9963020001"
REACHED, PROXIED, TLS = "broker reachable", "broker reachable through the proxy", "TLS"


@pytest.fixture(autouse=True)
def _english() -> None:
    language.choose("en")


@pytest.fixture
def ca(tmp_path: Path) -> Ca:
    return Ca(tmp_path / "ca")


@pytest.fixture
def broker(tmp_path: Path, ca: Ca) -> Iterator[AccountsBroker]:
    with AccountsBroker(tmp_path / "broker", ca.sign()).running({SCHOOL: "first"}) as running:
        yield running


@pytest.fixture
def config(broker: AccountsBroker, ca: Ca, tmp_path: Path) -> Config:
    settings = AgentBroker(
        host="localhost", port=broker.port, tls=True, ca=str(ca.path), username=SCHOOL,
        password="first", generation=1, protocol="5",
    )  # fmt: skip
    return Config(school=SCHOOL, data=str(tmp_path / "data"), broker=settings)


def found(config: Config, **change: Any) -> dict[str, Check]:
    broker = msgspec.structs.replace(config.broker, **change)
    checks = BrokerChecks(msgspec.structs.replace(config, broker=broker)).checks()
    return {check.name: check for check in checks}


def test_a_websocket_that_works(config: Config, broker: AccountsBroker) -> None:
    checks = found(config, transport="websockets", port=broker.web)
    names = [REACHED, TLS, "WebSocket", "login (generation 1)"]
    assert [checks[name].ok for name in names] == [True] * 4


@contextmanager
def web_server(status: int) -> Iterator[int]:
    """A web server of another purpose; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(status)

        def log_message(self, *_: Any) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "fix"), [(404, "broker.path"), (400, "portal"), (200, "port")])
def test_a_web_server_that_is_no_broker(config: Config, status: int, fix: str) -> None:
    with web_server(status) as port:
        checks = found(config, transport="websockets", port=port, tls=False)
    assert list(checks) == [REACHED, "WebSocket"]
    assert checks["WebSocket"].ok is False
    assert str(status) in checks["WebSocket"].detail
    assert fix in checks["WebSocket"].fix


@pytest.mark.parametrize(
    ("answer", "says", "fix"),
    [
        (b"HTTP/1.1 403 Filtered\r\n\r\n", "403 Filtered", "443"),
        (b"HTTP/1.1 407 Log in\r\n\r\n", "407 Log in", "proxy_password_file"),
        (b"HTTP/1.1 503 No\r\n\r\n", "503 No", "proxy itself cannot reach"),
        (b"hello\r\n\r\n", "does not speak HTTP", "host and port in broker.proxy"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_proxy_that_refuses(config: Config, answer: bytes, says: str, fix: str) -> None:
    with connect_proxy(answer=answer) as between:
        checks = found(config, proxy=f"http://user:secret@127.0.0.1:{between.port}")
    assert list(checks) == [PROXIED]
    assert checks[PROXIED].ok is False
    assert says in checks[PROXIED].detail
    assert fix in checks[PROXIED].fix
    assert "secret" not in str(checks)


def test_a_proxy_that_nobody_knows(config: Config) -> None:
    checks = found(config, proxy="http://no-such-proxy.invalid:3128")
    assert "no-such-proxy.invalid:3128 cannot be reached" in checks[PROXIED].detail


def test_the_proxys_password_file_is_named(config: Config) -> None:
    checks = found(config, proxy="http://u@127.0.0.1:1", proxy_password_file="/nowhere/secret")
    assert "/nowhere/secret" in checks[PROXIED].detail


def test_through_a_proxy_all_is_well(config: Config) -> None:
    with connect_proxy("school:secret") as between:
        checks = found(config, proxy=f"http://school:secret@127.0.0.1:{between.port}")
    assert all(check.ok is not False for check in checks.values())
    assert checks["login (generation 1)"].ok
    assert "secret" not in str(checks)


def test_the_way_that_auto_takes_second_is_no_finding(
    config: Config, broker: AccountsBroker
) -> None:
    port = services.free_port()
    checks = list(
        BrokerChecks(
            msgspec.structs.replace(
                config,
                broker=msgspec.structs.replace(
                    config.broker, transport="auto", port=port, websocket_port=broker.web
                ),
            )
        ).checks()
    )
    assert checks[0].ok is None
    assert str(port) in checks[0].detail
    assert all(check.ok is not False for check in checks)
    assert any(check.name.startswith("login") and check.ok for check in checks)


def test_a_closed_port_names_the_other_ways(config: Config) -> None:
    fix = found(config, port=services.free_port())[REACHED].fix
    assert "broker.proxy" in fix
    assert "auto" in fix


def test_a_renewed_account_that_is_refused_is_passed_over(config: Config, ca: Ca) -> None:
    given = Renewal(
        generation=2, username=f"{SCHOOL}-2", password="second", line_key=secrets.token_hex(16),
        ca=ca.pem,
    )  # fmt: skip
    assert renewed.accounts(config).take(given) == 0
    checks = found(config)
    assert checks["login (generation 2)"].ok is None
    assert "Not authorized" in checks["login (generation 2)"].detail
    assert checks["login (generation 1)"].ok


def test_a_renewed_account_that_works_is_the_one_that_is_checked(
    config: Config, ca: Ca, broker: AccountsBroker
) -> None:
    given = Renewal(
        generation=2, username=f"{SCHOOL}-2", password="second", line_key=secrets.token_hex(16),
        ca=ca.pem,
    )  # fmt: skip
    renewed.accounts(config).take(given)
    broker.accounts({f"{SCHOOL}-2": "second"})
    checks = found(config)
    assert checks["login (generation 2)"].ok
    assert "login (generation 1)" not in checks

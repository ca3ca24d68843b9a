"""Over WebSocket and through proxies, by a real Mosquitto with TLS; and what is said when not."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import services
from accounts_broker import CITY, AccountsBroker
from agent.clock import Clock
from agent.common.broker_settings import AgentBroker
from agent.common.settings import SettingsError
from agent.mqtt import connection, reconnect, socket_client
from agent.mqtt.accounts import Account
from agent.mqtt.link import Callbacks, Link, Sender, State
from agent.mqtt.loop import Loop
from agent.outbox import Outbox
from agent.wire import AgentHealth, Host, Policy, encode, topics
from connect_proxy import connect_proxy
from fake_collector import FakeCollector
from pki import Ca

SCHOOL = "9963020001"
MACHINE = "0123456789abcdef" * 2


@pytest.fixture
def ca(tmp_path: Path) -> Ca:
    return Ca(tmp_path / "ca")


@pytest.fixture
def broker(tmp_path: Path, ca: Ca) -> Iterator[AccountsBroker]:
    with AccountsBroker(tmp_path / "broker", ca.sign()).running({SCHOOL: "first"}) as running:
        yield running


@pytest.fixture
def city(broker: AccountsBroker) -> Iterator[FakeCollector]:
    made = FakeCollector(broker.plain, five=True, account=(CITY, broker.city_password))
    yield made
    made.close()


@pytest.fixture
def settings(broker: AccountsBroker, ca: Ca) -> AgentBroker:
    return AgentBroker(
        host="localhost", port=broker.port, tls=True, ca=str(ca.path), username=SCHOOL,
        password="first", protocol="5",
    )  # fmt: skip


@pytest.fixture
def link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Link]]:
    """Starts a link; its outbox is `link.outbox`, its policies `link.policies`."""
    monkeypatch.setattr(reconnect, "SPREAD_S", 0.2)
    loop = Loop()
    loop.start()
    made: list[tuple[Any, Outbox]] = []

    def make(settings: AgentBroker) -> Any:
        clock = Clock()
        outbox = Outbox(tmp_path / "outbox.db", MACHINE, clock)
        seen: list[Policy] = []
        changed = threading.Condition()

        def told(*_: object) -> None:
            with changed:
                changed.notify_all()

        def policy(given: Policy) -> None:
            seen.append(given)
            told()

        back = Callbacks(policy=policy, state=told)
        one: Any = Link(settings, Sender(SCHOOL, MACHINE), outbox, clock, loop, back)
        one.outbox, one.policies, one.changed = outbox, seen, changed
        made.append((one, outbox))
        one.start()
        return one

    yield make
    for one, outbox in made:
        one.stop()
        outbox.close()
    loop.stop()


def until(link: Any, done: Callable[[], bool]) -> None:
    with link.changed:
        assert link.changed.wait_for(done, services.PATIENCE_S), (link.state, link.error)


def reports_arrive(link: Any, city: FakeCollector, count: int = 30) -> None:
    """Reports of several sizes are receipted, and a policy larger than a frame's short form."""
    for number in range(count):
        link.outbox.put((AgentHealth(version="1"), Host(os="x" * (number * 8))))
    rooms = {f"room {number}": "x" * 60 for number in range(1500)}
    policy = Policy(v=1, school=SCHOOL, issued=1, rooms=rooms)
    city.client.publish(topics.policy_topic(SCHOOL), encode(policy), 1, retain=True)
    boot = link.outbox.boot
    city.wait(lambda: all((MACHINE, boot, n) in city.heard for n in range(1, count + 2)))
    until(link, lambda: policy in link.policies)
    deadline = time.monotonic() + services.PATIENCE_S
    while link.outbox.counts().rows:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def web(settings: AgentBroker, broker: AccountsBroker, **more: Any) -> AgentBroker:
    return msgspec.structs.replace(settings, transport="websockets", port=broker.web, **more)


def test_over_websockets(link: Any, city: Any, settings: Any, broker: Any) -> None:
    one = link(web(settings, broker))
    until(one, lambda: one.state is State.READY)
    reports_arrive(one, city)
    assert not [port for port in (broker.port,) if f"port {port}" in one.error]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_each_version_over_websockets(
    link: Any, city: Any, settings: Any, broker: Any, protocol: str
) -> None:
    one = link(web(settings, broker, protocol=protocol))
    reports_arrive(one, city, 5)


def test_a_websocket_comes_back_when_the_broker_does(
    link: Any, city: Any, settings: Any, broker: AccountsBroker, ca: Ca
) -> None:
    one = link(web(settings, broker))
    until(one, lambda: one.state is State.READY)
    broker.certificate(ca.sign())
    city.client.reconnect()
    reports_arrive(one, city, 5)


@pytest.mark.parametrize("transport", ["tcp", "websockets"])
@pytest.mark.parametrize("login", ["", "school:p@ss:word/1"])
def test_through_a_proxy(
    link: Any, city: Any, settings: Any, broker: Any, transport: str, login: str
) -> None:
    with connect_proxy(login) as between:
        quoted = "school:p%40ss%3Aword%2F1@" if login else ""
        url = f"http://{quoted}127.0.0.1:{between.port}"
        port = broker.web if transport == "websockets" else broker.port
        one = link(msgspec.structs.replace(settings, transport=transport, port=port, proxy=url))
        reports_arrive(one, city, 10)
        assert between.asked[0].startswith(f"CONNECT localhost:{port} HTTP/1.1\r\n")
        assert between.relayed > 5000
        assert b"first" not in "".join(between.asked).encode()


def test_the_proxys_password_comes_from_a_file(
    link: Any, city: Any, settings: Any, tmp_path: Path
) -> None:
    file = tmp_path / "proxy.password"
    file.write_text("密码 1\n")
    with connect_proxy("school:密码 1") as between:
        url = f"http://school@127.0.0.1:{between.port}"
        one = link(msgspec.structs.replace(settings, proxy=url, proxy_password_file=str(file)))
        reports_arrive(one, city, 3)


@pytest.mark.parametrize("auth", [False, True])
def test_through_tinyproxy(
    link: Any, city: Any, settings: Any, broker: Any, tmp_path: Path, auth: bool
) -> None:
    tinyproxy = services.require("tinyproxy")
    port = services.free_port()
    conf = tmp_path / "tinyproxy.conf"
    text = f"Port {port}\nListen 127.0.0.1\nTimeout 60\nConnectPort {broker.port}\n"
    conf.write_text(text + ("BasicAuth school pass123\n" if auth else ""))
    argv = [tinyproxy, "-d", "-c", str(conf)]
    with services.started(argv, tmp_path / "tinyproxy.log") as process:
        services.wait_port(port, process)
        url = f"http://{'school:pass123@' if auth else ''}127.0.0.1:{port}"
        one = link(msgspec.structs.replace(settings, proxy=url))
        reports_arrive(one, city, 10)


def test_auto_takes_443_where_8883_is_closed(
    link: Any, city: Any, settings: Any, broker: Any
) -> None:
    ways = msgspec.structs.replace(
        settings, transport="auto", port=services.free_port(), websocket_port=broker.web
    )
    reports_arrive(link(ways), city, 3)


def test_auto_takes_443_where_something_else_answers_on_8883(
    link: Any, city: Any, settings: Any, broker: Any
) -> None:
    """A firewall that accepts and closes."""
    with connect_proxy(answer=b"HTTP/1.1 403 Forbidden\r\n\r\n") as wall:
        ways = msgspec.structs.replace(
            settings, transport="auto", port=wall.port, websocket_port=broker.web
        )
        reports_arrive(link(ways), city, 3)


def test_auto_prefers_8883(link: Any, city: Any, settings: Any, broker: Any) -> None:
    ways = msgspec.structs.replace(settings, transport="auto", websocket_port=1)
    one = link(ways)
    reports_arrive(one, city, 3)


@pytest.mark.parametrize("path", ["", "mqtt", "/a b", "/mqtt\r\nHost: x"])
def test_a_path_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"broker\.path"):
        AgentBroker(path=path)


def test_a_missing_file_of_the_proxys_password_is_said(settings: AgentBroker) -> None:
    broken = msgspec.structs.replace(
        settings, proxy="http://u@127.0.0.1:1", proxy_password_file="/nowhere/password"
    )
    with pytest.raises(SettingsError, match=r"proxy_password_file.+nowhere"):
        connection.Connection(broken, None, "x", None, mqtt5=True)


@pytest.mark.parametrize("tls", [False, True])
def test_a_websocket_whose_answer_drips_is_given_up(
    settings: AgentBroker, ca: Ca, monkeypatch: pytest.MonkeyPatch, tls: bool
) -> None:
    """paho waits for each byte anew."""
    monkeypatch.setattr(socket_client, "OPEN_S", 0.5)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            client: socket.socket
            client, _ = listener.accept()
            if tls:
                server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                server.load_cert_chain(*ca.sign())
                client = server.wrap_socket(client, server_side=True)
            with client, contextlib.suppress(OSError):
                while not stop.wait(0.05):
                    client.send(b"H")

        thread = threading.Thread(target=drip)
        thread.start()
        port = listener.getsockname()[1]
        given = msgspec.structs.replace(settings, tls=tls, transport="websockets", port=port)
        context = Account(given).context()
        one = connection.Connection(given, context, "x", None, mqtt5=True)
        try:
            with pytest.raises(OSError, match=r"WebSocket|EOF|closed"):
                one.open()
        finally:
            stop.set()
            thread.join()

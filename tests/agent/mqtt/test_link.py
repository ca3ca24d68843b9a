"""The link against real brokers: receipts, resends, presence, policy, refusals."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.clock import Clock
from agent.common.settings import Broker
from agent.mqtt import hello as hello_module
from agent.mqtt import link as links
from agent.mqtt.link import Callbacks, Link, Sender, State
from agent.mqtt.loop import Loop
from agent.mqtt.packet_limit import TOO_LARGE
from agent.outbox import Outbox
from agent.wire import (
    AgentHealth,
    Device,
    Held,
    Hello,
    Inventory,
    Policy,
    Receipt,
    Report,
    StoredRange,
    decode_message,
    encode,
    topics,
)

MACHINE = "0123456789abcdef" * 2
SCHOOL = "9900000001"
READING = (AgentHealth(version="1"),)


class Agent:
    """An outbox and a link of their own, as the runner has them."""

    def __init__(self, settings: Broker, folder: Path, school: str = SCHOOL) -> None:
        self.clock = Clock()
        self.outbox = Outbox(folder / "outbox.db", MACHINE, self.clock)
        self.policies: list[Policy] = []
        self.states: list[State] = []
        self.changed = threading.Condition()
        self.loop = Loop()
        self.link = Link(
            settings,
            Sender(school, MACHINE, lambda: Inventory(hostname="pc-1")),
            self.outbox,
            self.clock,
            self.loop,
            Callbacks(policy=self._on_policy, state=self._on_state),
            draw=lambda: 0.1,  # backoffs of a tenth, so that tests are quick
        )
        self.loop.start()

    def _on_policy(self, policy: Policy) -> None:
        with self.changed:
            self.policies.append(policy)
            self.changed.notify_all()

    def _on_state(self, state: State, _error: str) -> None:
        with self.changed:
            self.states.append(state)
            self.changed.notify_all()

    def wait(self, done: Callable[[], bool], seconds: float = 120) -> None:
        with self.changed:
            assert self.changed.wait_for(done, seconds), (self.states, self.link.error)

    def key(self, number: int) -> tuple[str, str, int]:
        return MACHINE, self.outbox.boot, number

    def close(self) -> None:
        if self.loop.alive:
            self.link.stop()
            self.loop.stop()
        self.outbox.close()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    made: list[Agent] = []

    def make(settings: Broker, school: str = SCHOOL) -> Agent:
        made.append(Agent(settings, tmp_path, school))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def mosquitto(services: Any, tmp_path: Path) -> Iterator[Any]:
    folder = tmp_path / "broker"
    folder.mkdir()
    with services.broker("mosquitto", folder) as running:
        yield running


def gone(agent: Agent, until: Callable[..., None]) -> None:
    until(lambda: agent.outbox.counts().rows == 0)


def test_reports_arrive_and_are_receipted(
    broker: Any, collector: Any, agent: Any, until: Any
) -> None:
    city = collector(broker.port, five=broker.kind == "mosquitto")
    one = agent(Broker(port=broker.port))
    for _ in range(40):
        one.outbox.put(READING)
    one.link.start()
    gone(one, until)
    assert one.link.mqtt5 == (broker.kind == "mosquitto")
    assert set(city.heard) == {one.key(number) for number in range(1, 42)}
    hello = decode_message(city.heard[one.key(1)][0])
    assert isinstance(hello, Hello)
    assert hello.inventory.hostname == "pc-1"
    assert isinstance(decode_message(city.heard[one.key(2)][0]), Report)
    assert all(len(payloads) == 1 for payloads in city.heard.values())
    assert one.clock.known


def test_presence_comes_and_goes(broker: Any, collector: Any, agent: Any) -> None:
    city = collector(broker.port, five=broker.kind == "mosquitto")
    one = agent(Broker(port=broker.port))
    one.link.start()
    city.wait(lambda: [presence.online for presence in city.presence] == [True])
    assert one.link.stop()
    city.wait(lambda: [presence.online for presence in city.presence] == [True, False])
    assert {presence.boot for presence in city.presence} == {one.outbox.boot}
    assert one.link.state is State.STOPPED


def test_a_killed_agent_is_offline_by_its_will(mosquitto: Any, collector: Any, agent: Any) -> None:
    city = collector(mosquitto.port)
    one = agent(Broker(port=mosquitto.port))
    one.link.start()
    one.wait(lambda: State.READY in one.states)
    one.loop.stop()
    one.link.socket.shutdown(socket.SHUT_RDWR)  # as a power cut, seen by the broker
    city.wait(lambda: [presence.online for presence in city.presence] == [True, False])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hellos that are not answered are said again soon."""
    monkeypatch.setattr(hello_module, "PATIENCE", 0.3)
    monkeypatch.setattr(hello_module, "BASE", 0.1)


@pytest.mark.usefixtures("impatient")
def test_nothing_but_the_hello_before_an_echo(
    mosquitto: Any, collector: Any, agent: Any, until: Any
) -> None:
    city = collector(mosquitto.port)
    city.answer = lambda topic, message: None
    one = agent(Broker(port=mosquitto.port))
    one.outbox.put(READING)
    one.link.start()
    city.wait(lambda: len(city.heard.get(one.key(1), ())) >= 2)  # said again, and again
    assert set(city.heard) == {one.key(1)}
    sent = [decode_message(payload).sent for payload in city.heard[one.key(1)]]
    assert len(set(sent)) == len(sent)  # fresh each time
    city.answer = city.stored
    gone(one, until)


@pytest.mark.usefixtures("impatient")
def test_an_old_echo_of_the_hello_does_not_open_the_outbox(
    mosquitto: Any, collector: Any, agent: Any
) -> None:
    city = collector(mosquitto.port)
    city.answer = lambda topic, message: Receipt(
        v=1, now=1, echo=5, stored=(StoredRange(topic.boot, 1, 1),)
    )
    one = agent(Broker(port=mosquitto.port))
    one.outbox.put(READING)
    one.link.start()
    city.wait(lambda: len(city.heard.get(one.key(1), ())) >= 2)
    assert not one.clock.known
    assert set(city.heard) == {one.key(1)}


def test_a_held_report_goes_when_the_policy_arrives(
    mosquitto: Any, collector: Any, agent: Any, until: Any
) -> None:
    city = collector(mosquitto.port)

    def hold(topic: Any, message: Any) -> Receipt:
        held = (Held(topic.boot, topic.number, "unknown_school", 3600),)
        return Receipt(v=1, now=time.time_ns() // 10**6, echo=message.sent, held=held)

    city.answer = hold
    one = agent(Broker(port=mosquitto.port))
    one.outbox.put(READING)
    one.link.start()
    city.wait(lambda: one.key(2) in city.heard)
    city.answer = city.stored
    policy = Policy(v=1, school=SCHOOL, issued=5)
    city.client.publish(topics.policy_topic(SCHOOL), encode(policy), 1, True)
    one.wait(lambda: one.policies == [policy])
    gone(one, until)
    assert len(set(city.heard[one.key(2)])) == 1


def test_a_broker_that_forgets_everything_loses_nothing(
    mosquitto: Any, collector: Any, agent: Any, until: Any
) -> None:
    city = collector(mosquitto.port)
    one = agent(Broker(port=mosquitto.port))
    one.link.start()
    one.wait(lambda: State.READY in one.states)
    for turn in range(3):
        city.answer = lambda topic, message: None
        for _ in range(20):
            one.outbox.put(READING)
        mosquitto.kill()
        mosquitto.start()
        city = collector(mosquitto.port)
        gone(one, until)
        assert len({key for key in city.heard if key[2] > 1}) == 20, turn


def test_garbage_on_our_topics_is_passed_over(
    mosquitto: Any, collector: Any, agent: Any, until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    city = collector(mosquitto.port)
    one = agent(Broker(port=mosquitto.port))
    one.link.start()
    one.wait(lambda: State.READY in one.states)
    for junk in (b"", b"\xff\xfe", b"[" * 100_000, b'{"v":99}', b'{"v":1,"now":-5}'):
        city.client.publish(topics.receipt_topic(SCHOOL, MACHINE), junk, 1)
        city.client.publish(topics.policy_topic(SCHOOL), junk, 1)
    one.outbox.put(READING)
    gone(one, until)
    assert one.states.count(State.READY) == 1
    unreadable = [text for text in caplog.messages if text.startswith("receipt_unreadable")]
    assert len(unreadable) == 5
    assert all(" reason=" in text for text in unreadable)


_ACL = """
acl_file {folder}/acl
"""


def test_a_refused_report_waits_and_the_error_is_known(
    services: Any, tmp_path: Path, collector: Any, agent: Any, until: Any
) -> None:
    """MQTT 5 says that the ACL denied it; the report stays, and the fault is named."""
    folder = tmp_path / "denying"
    folder.mkdir()
    (folder / "acl").write_text(
        f"topic read #\ntopic write {topics.presence_topic(SCHOOL, MACHINE)}\n"
    )
    (folder / "acl").chmod(0o644)
    with services.broker("mosquitto", folder, _ACL.format(folder=folder)) as running:
        one = agent(Broker(port=running.port))
        one.outbox.put(READING)
        one.clock.on_echo(one.clock.mark(), 1_790_000_000_000)
        one.link.start()
        until(lambda: "refused" in one.link.error)
        assert one.outbox.counts().rows == 1
        assert one.link.state is State.READY


def test_the_line_server_speaks_without_a_policy(
    mosquitto: Any, collector: Any, agent: Any, until: Any
) -> None:
    city = collector(mosquitto.port)
    one = agent(Broker(port=mosquitto.port), topics.LINESERVER)
    one.outbox.put(READING, evidence=True)
    one.link.start()
    gone(one, until)
    assert one.key(2) in city.heard


def test_no_broker_is_no_trouble(
    services: Any, agent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "_FAREWELL_S", 3600.0)
    one = agent(Broker(port=services.free_port()))
    one.link.start()
    one.wait(lambda: State.IDLE in one.states)
    assert one.link.error
    assert one.link.stop(120), "it takes leave of nobody"


def test_a_server_that_says_nothing_is_let_go(agent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that accepts and keeps silent: asked in MQTT 5, then in 3.1.1, then left."""
    monkeypatch.setattr(links, "_FIVE_ANSWER_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one = agent(Broker(port=silent.getsockname()[1]))
        one.link.start()
        one.wait(lambda: one.states.count(State.CONNECTING) == 2)
        assert not one.link.mqtt5
        assert one.loop.alive


def test_where_only_mqtt_5_may_be_spoken_a_slow_broker_has_its_time(
    agent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short patience is for the sake of 3.1.1, which is not tried here."""
    monkeypatch.setattr(links, "_FIVE_ANSWER_S", 0.0)
    steps = threading.Semaphore(0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        one = agent(Broker(port=silent.getsockname()[1], protocol="5"))
        step = one.link.step

        def counted(*, readable: bool) -> None:
            step(readable=readable)
            steps.release()

        monkeypatch.setattr(one.link, "step", counted)
        one.link.start()
        with silent.accept()[0]:  # within the first step
            one.link.wake()
            assert steps.acquire(timeout=60)
            assert steps.acquire(timeout=60)
            assert one.states == [State.CONNECTING]


def test_a_server_that_speaks_nonsense_does_not_end_the_thread(agent: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = agent(Broker(port=server.getsockname()[1]))
        one.link.start()
        for junk in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\xff\xff\xff\xff\xff", b"\0" * 99):
            connection, _ = server.accept()
            connection.sendall(junk)
            connection.close()
        one.wait(lambda: one.states.count(State.IDLE) >= 3)
        assert one.loop.alive
        assert one.link.error


#: Some 60 kB.
LARGE = tuple(Device(kind="camera", connector=f"usb-{n}", name="x" * 200) for n in range(240))


@pytest.fixture
def limited(services: Any, tmp_path: Path) -> Any:
    folder = tmp_path / "broker"
    folder.mkdir()

    def start(more: str) -> Any:
        return services.broker("mosquitto", folder, more)

    return start


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("setting", ["max_packet_size 20000\n", "message_size_limit 20000\n"])
def test_what_is_behind_a_report_too_large_for_the_broker_arrives(
    limited: Any, collector: Any, agent: Any, until: Any, protocol: str, setting: str
) -> None:
    with limited(setting) as broker:
        city = collector(broker.port)
        one = agent(Broker(port=broker.port, protocol=protocol))
        for readings in (READING, LARGE, READING, READING):
            one.outbox.put(readings)
        one.link.start()
        small = {one.key(number) for number in (2, 4, 5)}
        until(lambda: small <= set(city.heard))
        assert one.key(3) not in city.heard
        until(lambda: one.outbox.counts().rows == 1)
        if protocol == "5":
            until(lambda: TOO_LARGE in one.link.error or one.outbox.counts().held == 1)

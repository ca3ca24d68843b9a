"""HiveMQ with its extension File RBAC admits by the file that `enrol hivemq` writes.

SCHOOLPULSE_TEST_HIVEMQ names a program that runs it, called with a port and a folder; in the folder
is credentials.xml.
"""

from __future__ import annotations

import os
import queue
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

import services
from agent.wire.topics import ALL_PRESENCE, ALL_REPORTS, PREFIX
from collector.broker import hivemq
from collector.broker.accounts import Account
from collector.broker.session import stop_loop
from voice import PATIENCE_S, until

PROGRAM = os.environ.get("SCHOOLPULSE_TEST_HIVEMQ", "")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="SCHOOLPULSE_TEST_HIVEMQ names no program")
SCHOOL, OTHER = "9963000001", "9963000002"
ACCOUNTS = {
    name: Account(name, secrets.token_hex(16), "" if name == "collector" else name)
    for name in (SCHOOL, OTHER, "collector")
}


class Client:
    """One log-in; what the broker answers, in order."""

    def __init__(self, port: int, name: str, password: str) -> None:
        self.said: queue.Queue[Any] = queue.Queue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self.client.username_pw_set(name, password)
        self.client.on_connect = lambda *given: self.said.put(given[3])
        self.client.on_subscribe = lambda *given: self.said.put(given[3][0])
        self.client.on_publish = lambda *given: self.said.put(given[3])
        self.client.on_message = lambda *given: self.said.put(given[2])
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def answer(self) -> Any:
        """The next answer, or message."""
        return self.said.get(timeout=PATIENCE_S)

    def subscribed(self, topic: str) -> bool:
        """Whether it may."""
        self.client.subscribe(topic, 1)
        return not self.answer().is_failure

    def published(self, topic: str, **more: Any) -> bool:
        """Whether it may."""
        self.client.publish(topic, b"x", 1, **more)
        return not self.answer().is_failure

    def end(self) -> None:
        self.client.disconnect()
        stop_loop(self.client)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder: Path = tmp_path_factory.mktemp("hivemq")
    (folder / "credentials.xml").write_bytes(hivemq.document(ACCOUNTS.values()))
    found = services.free_port()
    with services.started([PROGRAM, str(found), str(folder)], folder / "log") as process:
        services.wait_port(found, process)
        yield found


@pytest.fixture
def login(port: int) -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def of(name: str, password: str = "") -> Client:
        made.append(Client(port, name, password or ACCOUNTS[name].password))
        return made[-1]

    yield of
    for one in made:
        one.end()


def test_a_wrong_password_does_not_log_in(login: Callable[..., Client]) -> None:
    assert login(SCHOOL, "w" * 32).answer().is_failure
    assert login("9963000009", "w" * 32).answer().is_failure


@pytest.mark.parametrize(
    ("topic", "may"),
    [
        (f"{PREFIX}/{SCHOOL}/+/receipt", True),
        (f"{PREFIX}/{SCHOOL}/policy", True),
        (f"{PREFIX}/{OTHER}/policy", False),
        (f"{PREFIX}/+/policy", False),
        (f"{PREFIX}/+/+/receipt", False),
        (f"$share/city/{ALL_REPORTS}", False),
        (f"$share/city/{PREFIX}/{SCHOOL}/+/receipt", False),
        (ALL_PRESENCE, False),
        ("#", False),
    ],
)
def test_what_a_school_may_hear(login: Callable[..., Client], topic: str, may: bool) -> None:
    school = login(SCHOOL)
    assert not school.answer().is_failure
    assert school.subscribed(topic) is may


@pytest.mark.parametrize(
    ("topic", "may"),
    [
        (f"{PREFIX}/{SCHOOL}/{'a' * 32}/report/{'b' * 16}/2", True),
        (f"{PREFIX}/{SCHOOL}/{'a' * 32}/presence", True),
        (f"{PREFIX}/{OTHER}/{'a' * 32}/report/{'b' * 16}/2", False),
        (f"{PREFIX}/{SCHOOL}/{'a' * 32}/receipt", False),
        (f"{PREFIX}/{SCHOOL}/policy", False),
    ],
)
def test_what_a_school_may_say(login: Callable[..., Client], topic: str, may: bool) -> None:
    school = login(SCHOOL)
    assert not school.answer().is_failure
    assert school.published(topic) is may


def test_the_collectors_share_what_a_school_says_and_a_policy_stays_whole(
    login: Callable[..., Client],
) -> None:
    both = [login("collector"), login("collector")]
    for one in both:
        assert not one.answer().is_failure
        assert one.subscribed(f"$share/city/{ALL_REPORTS}")
    properties = mqtt.Properties(mqtt.PacketTypes.PUBLISH)
    properties.UserProperty = [("kept", "here")]
    assert both[0].published(f"{PREFIX}/{OTHER}/policy", retain=True, properties=properties)
    other = login(OTHER)
    assert not other.answer().is_failure
    topics = {f"{PREFIX}/{OTHER}/{'c' * 32}/report/{'d' * 16}/{n}" for n in range(2, 52)}
    assert all(other.published(topic) for topic in sorted(topics))
    heard = [one.said.get(timeout=PATIENCE_S).topic for one in _shared(both, len(topics))]
    assert sorted(heard) == sorted(topics), "each once"
    assert other.subscribed(f"{PREFIX}/{OTHER}/policy")
    policy = other.answer()
    assert policy.retain
    assert policy.properties.UserProperty == [("kept", "here")]


def _shared(clients: list[Client], count: int) -> Iterator[Client]:
    """`count` times one that has a message."""
    until(lambda: sum(one.said.qsize() for one in clients) >= count, what="shared reports")
    for one in clients:
        for _ in range(one.said.qsize()):
            yield one

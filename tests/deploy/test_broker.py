"""The broker's configuration on a real Mosquitto: TLS, credentials, and who may say what."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

import city_broker
import services
from agent.wire import topics
from city_broker import CityBroker
from collector.broker.session import stop_loop

A, B = "9901020001", "9901030001"
MACHINE, BOOT = "a" * 32, "b" * 16
WAIT = services.PATIENCE_S
DENIED = 135  # MQTT 5, Not authorized

pytestmark = pytest.mark.mosquitto


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityBroker]:
    with city_broker.running(tmp_path_factory.mktemp("broker"), [A, B]) as running:
        yield running


class Speaker:
    """One MQTT 5 client that remembers what the broker answered."""

    def __init__(self, client: mqtt.Client) -> None:
        self.client = client
        self.heard: list[str] = []
        self.codes: dict[int, int] = {}
        self.changed = threading.Condition()

    def wait(self, done: Callable[[], object]) -> None:
        with self.changed:
            assert self.changed.wait_for(done, WAIT)

    def publish(self, topic: str) -> int:
        """Publish at QoS 1; the reason code of the answer."""
        number = self.client.publish(topic, b"{}", 1).mid
        self.wait(lambda: number in self.codes)
        return self.codes[number]

    def subscribe(self, topic: str) -> int:
        """Subscribe at QoS 1; the reason code of the answer."""
        _, number = self.client.subscribe(topic, 1)
        assert number is not None
        self.wait(lambda: number in self.codes)
        return self.codes[number]


@contextmanager
def connected(broker: CityBroker, user: str, password: str | None = None) -> Iterator[Speaker]:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.tls_set_context(ssl.create_default_context(cafile=str(broker.ca)))
    client.username_pw_set(user, password or city_broker.secret(user))
    speaker = Speaker(client)

    def note(number: int, code: Any) -> None:
        with speaker.changed:
            speaker.codes[number] = code.value
            speaker.changed.notify_all()

    def hear(_client: Any, _data: Any, message: Any) -> None:
        with speaker.changed:
            speaker.heard.append(message.topic)
            speaker.changed.notify_all()

    client.on_connect = lambda _c, _d, _f, code, _p: note(-1, code)
    client.on_publish = lambda _c, _d, number, code, _p: note(number, code)
    client.on_subscribe = lambda _c, _d, number, codes, _p: note(number, codes[0])
    client.on_message = hear
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        speaker.wait(lambda: -1 in speaker.codes)
        yield speaker
    finally:
        client.disconnect()
        stop_loop(client)


def test_a_school_speaks_for_itself_and_the_collector_hears_it(broker: CityBroker) -> None:
    with connected(broker, "collector") as collector, connected(broker, A) as school:
        assert collector.subscribe(topics.ALL_REPORTS) == 1
        assert school.publish(topics.report_topic(A, MACHINE, BOOT, 1)) == 0
        collector.wait(lambda: topics.report_topic(A, MACHINE, BOOT, 1) in collector.heard)


def test_a_school_cannot_publish_as_another_and_sees_the_denial(broker: CityBroker) -> None:
    with connected(broker, "collector") as collector, connected(broker, A) as school:
        collector.subscribe(topics.ALL_REPORTS)
        assert school.publish(topics.report_topic(B, MACHINE, BOOT, 1)) == DENIED
        assert school.publish(topics.presence_topic(B, MACHINE)) == DENIED
        # A message of its own after it, so that nothing can still be on its way.
        assert school.publish(topics.report_topic(A, MACHINE, BOOT, 2)) == 0
        collector.wait(lambda: topics.report_topic(A, MACHINE, BOOT, 2) in collector.heard)
        assert topics.report_topic(B, MACHINE, BOOT, 1) not in collector.heard


@pytest.mark.parametrize(
    "topic",
    [
        topics.receipt_topic(A, MACHINE),
        topics.policy_topic(A),
        topics.report_topic("lineserver", MACHINE, BOOT, 1),
        "$SYS/broker/clients/total",
        "$CONTROL/dynamic-security/v1",
    ],
)
def test_a_school_cannot_speak_as_the_city(broker: CityBroker, topic: str) -> None:
    with connected(broker, A) as school:
        assert school.publish(topic) == DENIED


def test_a_school_hears_its_own_receipts_and_policy_only(broker: CityBroker) -> None:
    with connected(broker, "collector") as collector, connected(broker, A) as school:
        for topic in (topics.receipt_topic(A, MACHINE), topics.policy_topic(A)):
            assert school.subscribe(topic) == 1
        for topic in (
            topics.policy_topic(B),
            topics.receipt_topic(B, MACHINE),
            topics.receipt_topic(A, MACHINE),
            topics.policy_topic(A),
        ):
            assert collector.publish(topic) in (0, 16)
        school.wait(lambda: topics.policy_topic(A) in school.heard)
        assert set(school.heard) == {topics.receipt_topic(A, MACHINE), topics.policy_topic(A)}


@pytest.mark.parametrize(
    "topic",
    [
        "#",
        "+/#",
        "schoolpulse/#",
        "schoolpulse/v1/+/policy",
        f"schoolpulse/v1/{A}/#",
        topics.policy_topic(B),
        topics.receipt_topic(B, MACHINE),
        topics.receipt_topic("+", MACHINE),
        topics.ALL_REPORTS,
        topics.report_topic(A, MACHINE, BOOT, 1),
        topics.presence_topic(A, MACHINE),
        f"$share/ours/{topics.ALL_REPORTS}",
        f"$share/ours/{topics.receipt_topic(A, MACHINE)}",
        f"$share/ours/{topics.policy_topic(A)}",
        "$share/ours/#",
        "$SYS/#",
        "$SYS/broker/version",
        "$CONTROL/#",
        "$CONTROL/dynamic-security/v1/response",
    ],
)
def test_a_school_may_subscribe_to_nothing_else(broker: CityBroker, topic: str) -> None:
    with connected(broker, A) as school:
        assert school.subscribe(topic) == DENIED


@pytest.mark.parametrize(
    ("user", "may", "may_not"),
    [
        ("collector", f"$share/drawn/{topics.ALL_REPORTS}", "#"),
        ("collector", topics.ALL_PRESENCE, "$CONTROL/dynamic-security/v1/response"),
        ("doctor", "$SYS/broker/version", topics.ALL_REPORTS),
        ("keeper", "$SYS/broker/version", topics.ALL_REPORTS),
        ("lineserver", topics.policy_topic("lineserver"), topics.ALL_REPORTS),
        ("admin", "$CONTROL/dynamic-security/v1/response", topics.ALL_REPORTS),
    ],
)
def test_a_service_hears_what_its_work_needs(
    broker: CityBroker, user: str, may: str, may_not: str
) -> None:
    with connected(broker, user) as service:
        assert service.subscribe(may) == 1
        assert service.subscribe(may_not) == DENIED


@pytest.mark.parametrize("user", ["doctor", "lineserver", "collector"])
def test_no_service_but_admin_commands_the_broker(broker: CityBroker, user: str) -> None:
    with connected(broker, user) as service:
        assert service.publish("$CONTROL/dynamic-security/v1") == DENIED


def test_the_measurement_server_has_topics_of_its_own(broker: CityBroker) -> None:
    with connected(broker, "lineserver") as server:
        assert server.publish(topics.report_topic("lineserver", MACHINE, BOOT, 1)) in (0, 16)
        assert server.publish(topics.report_topic(A, MACHINE, BOOT, 1)) == DENIED


def test_a_wrong_password_and_no_password_are_refused(broker: CityBroker) -> None:
    with connected(broker, A, "guessed") as school:
        assert school.codes[-1] == DENIED
    with pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(
            _socket(broker.port), server_hostname="localhost"
        )  # a CA that is not ours


def _socket(port: int) -> Any:
    import socket

    return socket.create_connection(("127.0.0.1", port), WAIT)

"""The broker's configuration on a real Mosquitto: TLS, credentials, and who may say what."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

import services
from agent.wire import topics

DEPLOY = Path(__file__).parents[2] / "deploy"
A, B = "9901020001", "9901030001"
MACHINE, BOOT = "a" * 32, "b" * 16
WAIT = services.PATIENCE_S
DENIED = 135  # MQTT 5, Not authorized

pytestmark = pytest.mark.mosquitto


class Running(NamedTuple):
    """A broker of the deployed configuration."""

    port: int
    ca: Path
    log: Path


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    program = services.require("mosquitto")
    folder = tmp_path_factory.mktemp("broker")
    port = services.free_port()
    _certificates(folder)
    _passwords(folder, A, B, "collector", "lineserver")
    config = (DEPLOY / "mosquitto/mosquitto.conf").read_text("utf-8")
    config = config.replace("listener 8883", f"listener {port} 127.0.0.1")
    config = config.replace("/mosquitto/secrets/", f"{folder}/")
    config = config.replace("/mosquitto/config/acl", str(DEPLOY / "mosquitto/acl"))
    config = config.replace("/mosquitto/data/", f"{folder}/")
    # As root the broker would become the user mosquitto, who cannot read a test's folder.
    (folder / "mosquitto.conf").write_text(f"{config}\nuser root\n", "utf-8")
    log = folder / "log"
    with services.started([program, "-c", str(folder / "mosquitto.conf")], log) as process:
        services.wait_port(port, process)
        yield Running(port, folder / "ca.pem", log)


def _certificates(folder: Path) -> None:
    def openssl(*words: str) -> None:
        program = services.require("openssl")
        subprocess.run([program, *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=our CA")
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=broker")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    sign = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", *sign, "-out", "server.pem", "-days", "30")


def _passwords(folder: Path, *users: str) -> None:
    program = services.require("mosquitto_passwd")
    path = folder / "passwords"
    path.touch(0o600)
    for user in users:
        subprocess.run([program, "-b", str(path), user, f"secret-{user}"], check=True)


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
def connected(broker: Running, user: str, password: str | None = None) -> Iterator[Speaker]:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.tls_set_context(ssl.create_default_context(cafile=str(broker.ca)))
    client.username_pw_set(user, password or f"secret-{user}")
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
        client.loop_stop()


def test_a_school_speaks_for_itself_and_the_collector_hears_it(broker: Running) -> None:
    with connected(broker, "collector") as collector, connected(broker, A) as school:
        assert collector.subscribe(topics.ALL_REPORTS) == 1
        assert school.publish(topics.report_topic(A, MACHINE, BOOT, 1)) == 0
        collector.wait(lambda: topics.report_topic(A, MACHINE, BOOT, 1) in collector.heard)


def test_a_school_cannot_publish_as_another_and_sees_the_denial(broker: Running) -> None:
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
    ],
)
def test_a_school_cannot_speak_as_the_city(broker: Running, topic: str) -> None:
    with connected(broker, A) as school:
        assert school.publish(topic) == DENIED


def test_a_school_hears_its_own_receipts_and_policy_only(broker: Running) -> None:
    """Mosquitto grants any subscription and filters at delivery: so look at what arrives."""
    with connected(broker, "collector") as collector, connected(broker, A) as school:
        for topic in ("schoolpulse/v1/#", topics.policy_topic(A)):
            school.subscribe(topic)
        for topic in (
            topics.policy_topic(B),
            topics.receipt_topic(B, MACHINE),
            topics.receipt_topic(A, MACHINE),
            topics.policy_topic(A),
        ):
            assert collector.publish(topic) in (0, 16)
        school.wait(lambda: topics.policy_topic(A) in school.heard)
        assert set(school.heard) == {topics.receipt_topic(A, MACHINE), topics.policy_topic(A)}


def test_the_measurement_server_has_topics_of_its_own(broker: Running) -> None:
    with connected(broker, "lineserver") as server:
        assert server.publish(topics.report_topic("lineserver", MACHINE, BOOT, 1)) in (0, 16)
        assert server.publish(topics.report_topic(A, MACHINE, BOOT, 1)) == DENIED


def test_a_wrong_password_and_no_password_are_refused(broker: Running) -> None:
    with connected(broker, A, "guessed") as school:
        assert school.codes[-1] == DENIED
    with pytest.raises(ssl.SSLError):
        ssl.create_default_context().wrap_socket(
            _socket(broker.port), server_hostname="localhost"
        )  # a CA that is not ours


def _socket(port: int) -> Any:
    import socket

    return socket.create_connection(("127.0.0.1", port), WAIT)

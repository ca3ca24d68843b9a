"""What the doctor says of a broker that fails: the step that failed, and the reason."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

import services
from agent.common import language
from agent.common.checks import Check
from agent.common.settings import Broker
from agent.config import Config
from agent.doctor import broker as doctor
from agent.doctor.broker import BrokerChecks
from agent.doctor.checks import line_server
from agent.mqtt.connection import Connection, ConnectionEndedError
from agent.wire.topics import policy_topic
from collector.broker.session import stop_loop

SCHOOL = "9900000001"


@pytest.fixture(autouse=True)
def _english() -> None:
    language.choose("en")


def checks(port: int) -> dict[str, Check]:
    config = Config(school=SCHOOL, broker=Broker(port=port))
    return {check.name: check for check in BrokerChecks(config).checks()}


@contextmanager
def hanging_up() -> Iterator[int]:
    """A server that ends every connection at once; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_broker_that_ends_the_connection_is_reported_with_the_reason() -> None:
    with hanging_up() as port:
        found = checks(port)
    assert found["broker reachable"].ok is True
    assert found["login"].ok is False
    _, _, reason = found["login"].detail.partition(": ")
    assert "Error" in reason


def test_a_policy_that_cannot_be_read_is_reported_with_the_reason(tmp_path: Path) -> None:
    with services.broker("mosquitto", tmp_path) as broker:
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", broker.port)
        client.loop_start()
        client.publish(policy_topic(SCHOOL), b'{"v":1}', 1, retain=True).wait_for_publish(30)
        client.disconnect()
        stop_loop(client)
        policy = checks(broker.port)["school's policy"]
    assert policy.ok is None
    assert "UnreadableError" in policy.detail
    assert "school" in policy.detail


def test_a_failure_of_mqtt_5_is_not_the_reason_of_what_fails_in_3_1_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Old(Connection):
        def open(self) -> None:
            if self.mqtt5:
                raise ConnectionEndedError("hung up on MQTT 5")
            super().open()

    monkeypatch.setattr(doctor, "Connection", Old)
    monkeypatch.setattr(doctor, "_POLICY_S", 0.0)
    with services.broker("mosquitto", tmp_path) as broker:
        found = checks(broker.port)
    assert found["login"].detail.endswith("MQTT 3.1.1")
    assert found["subscription"].ok
    assert found["school's policy"].detail == "not received"


def test_publishing_is_tried_and_says_what_the_broker_answered(tmp_path: Path) -> None:
    with services.broker("mosquitto", tmp_path, "max_packet_size 200000\n") as broker:
        found = checks(broker.port)
    assert found["publishing"].ok is True
    assert "MQTT 5" in found["login"].detail
    assert "largest packet" in found["login"].detail


def test_a_right_to_publish_that_is_missing_is_found(tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic read schoolpulse/#\n")
    acl.chmod(0o644)
    with services.broker("mosquitto", tmp_path, f"acl_file {acl}\n") as broker:
        publishing = checks(broker.port)["publishing"]
    assert publishing.ok is False
    assert "Not authorized" in publishing.detail
    assert "/presence" in publishing.fix


def test_mqtt_3_1_1_hides_a_refusal_and_the_check_says_so(tmp_path: Path) -> None:
    with services.broker("mosquitto", tmp_path) as broker:
        config = Config(school=SCHOOL, broker=Broker(port=broker.port, protocol="3.1.1"))
        found = {check.name: check for check in BrokerChecks(config).checks()}
    assert found["publishing"].ok is None
    assert "3.1.1" in found["publishing"].detail


@pytest.mark.parametrize(
    ("lang", "known", "ended"),
    [("en", "not known here", "your school's new bundle"), ("zh", "不认识名称", "新安装包")],
)
def test_the_fix_is_that_of_the_step(tmp_path: Path, lang: str, known: str, ended: str) -> None:
    language.choose(lang)
    config = Config(school=SCHOOL, broker=Broker(host="city.invalid"))
    lost = BrokerChecks(config)
    (reached,) = lost.checks()
    assert known in reached.fix
    assert "city.invalid" in reached.fix
    assert "/etc/hosts" in reached.fix
    server = line_server(config, None, asked=lost.logged_in)
    assert server.ok is None
    assert server.detail != line_server(config, None).detail
    with services.broker("mosquitto", tmp_path, "allow_anonymous false\n") as broker:
        refused = BrokerChecks(Config(school=SCHOOL, broker=Broker(port=broker.port)))
        login = list(refused.checks())[-1]
    assert login.ok is False
    assert not refused.logged_in
    assert ended in login.fix
    assert "schoolpulse-agent install" in login.fix.replace("\n", " ")

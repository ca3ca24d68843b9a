"""The link against real brokers: receipts, resends, presence, policy, refusals."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from agent.common.settings import Broker
from agent.mqtt.link import State
from agent.wire import Held, Hello, Policy, Receipt, Report, decode_message, encode, topics
from linked_agent import MACHINE, READING, SCHOOL, gone


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
    until(lambda: one.outbox.counts().under_way == 0)  # the PC knows: the policy comes after that
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

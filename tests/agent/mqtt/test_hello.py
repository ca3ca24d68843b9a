"""The hello: said again until its own echo comes, and nothing is sent before that."""

from __future__ import annotations

from typing import Any

import pytest

from agent.common.settings import Broker
from agent.mqtt import hello as hello_module
from agent.wire import Receipt, StoredRange, decode_message
from linked_agent import READING, gone


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

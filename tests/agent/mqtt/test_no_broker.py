"""Nobody at the broker's address, or a server that is silent, slow or speaks nonsense."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from agent.common.settings import Broker
from agent.mqtt import link as links
from agent.mqtt.link import State


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

"""When a link connects again: a fleet is spread, one PC is soon back."""

from __future__ import annotations

import errno
import random
import signal
import socket
from bisect import bisect_left
from pathlib import Path
from typing import Any

import pytest

from agent.common.settings import Broker
from agent.mqtt import connection
from agent.mqtt.connection import ConnectionEndedError, FellSilentError
from agent.mqtt.reconnect import CAP_S, FALL_BACK_S, NETWORK_S, SPREAD_S, Cause, Reconnect, cause_of


def most() -> float:
    """The longest draw."""
    return 1.0


def peak(times: list[float]) -> int:
    """The most within any one second."""
    times = sorted(times)
    return max(at + 1 - bisect_left(times, when - 1.0) for at, when in enumerate(times))


@pytest.mark.parametrize("seed", range(20))
def test_a_thousand_agents_that_lose_one_broker_are_not_there_in_one_second(seed: int) -> None:
    draw = random.Random(seed).random
    fleet = [Reconnect(draw) for _ in range(1000)]
    waits = [one.wait(Cause.BROKER) for one in fleet]
    assert peak(waits) <= 110  # 67 a second; by chance some more in the fullest
    assert max(waits) <= 15  # one PC whose connection alone was cut waits no longer


def test_the_window_doubles_until_a_receipt_comes() -> None:
    turns = Reconnect(most)
    waits = []
    for _ in range(5):
        waits.append(turns.wait(Cause.BROKER))
        turns.answered()  # a broker that takes connections, and then dies
    assert waits == [15, 30, 60, CAP_S, CAP_S]
    turns.receipted()
    assert turns.wait(Cause.BROKER) == SPREAD_S


def test_a_failure_of_our_own_network_is_tried_sooner() -> None:
    turns = Reconnect(most)
    assert [turns.wait(Cause.NETWORK) for _ in range(3)] == [
        NETWORK_S,
        2 * NETWORK_S,
        4 * NETWORK_S,
    ]


def test_an_unknown_broker_is_asked_in_3_1_1_after_a_drawn_wait() -> None:
    turns = Reconnect(most)
    assert turns.mqtt5
    assert turns.wait(Cause.UNANSWERED) == FALL_BACK_S
    assert not turns.mqtt5
    assert turns.wait(Cause.UNANSWERED) == SPREAD_S
    assert turns.mqtt5


@pytest.mark.parametrize("only", ["5", "3.1.1"])
def test_where_the_settings_name_the_version_no_other_is_tried(only: str) -> None:
    turns = Reconnect(most, Broker(protocol=only).protocols)
    for reason in (Cause.UNANSWERED, Cause.UNANSWERED, Cause.BROKER, Cause.NETWORK):
        assert turns.mqtt5 == (only == "5")
        assert turns.wait(reason) > FALL_BACK_S, "a failure like any other"


def test_a_broker_that_speaks_5_is_not_asked_twice_at_once_when_it_falls_silent() -> None:
    turns = Reconnect(most)
    turns.answered()
    assert turns.wait(Cause.UNANSWERED) == SPREAD_S
    assert turns.mqtt5
    turns.wait(Cause.UNANSWERED)  # silent again: it may be another broker by now
    assert not turns.mqtt5


def test_a_broker_that_speaks_3_1_1_is_asked_in_both_each_time() -> None:
    turns = Reconnect(most)
    turns.wait(Cause.UNANSWERED)
    turns.answered()
    assert turns.wait(Cause.BROKER) == SPREAD_S
    assert turns.mqtt5
    turns.wait(Cause.UNANSWERED)
    assert not turns.mqtt5


def test_a_broker_that_goes_without_a_word_is_missed_by_its_ping(
    services: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    """A real one, stopped: nothing closes the connection, as where a cable is cut."""
    monkeypatch.setattr(connection, "KEEPALIVE_S", 1)
    monkeypatch.setattr(connection, "_MISC_S", 0.2)
    with services.broker("mosquitto", tmp_path) as broker:
        one = connection.Connection(Broker(port=broker.port), None, "pc", None, mqtt5=True)
        one.open()
        heard: list[object] = []
        until(lambda: heard.extend(one.pump(readable=True)) or heard)
        broker.process.send_signal(signal.SIGSTOP)
        with pytest.raises(FellSilentError):
            until(lambda: one.pump(readable=False) and False)
        broker.process.send_signal(signal.SIGCONT)
        one.close()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionEndedError("the broker closed the connection"), Cause.BROKER),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Cause.BROKER),
        (TimeoutError("timed out"), Cause.BROKER),
        (FellSilentError("no ping"), Cause.NETWORK),
        (socket.gaierror(socket.EAI_AGAIN, "no name"), Cause.NETWORK),
        (OSError(errno.ENETUNREACH, "no route"), Cause.NETWORK),
        (ValueError("paho raises what it likes"), Cause.BROKER),
    ],
)
def test_whose_failure_it_is(error: Exception, expected: Cause) -> None:
    assert cause_of(error) is expected

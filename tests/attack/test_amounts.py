"""Too much of everything: the broker's memory stays bounded, and others are served."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

import attacker
import city_broker
from agent.wire.topics import ALL_REPORTS, receipt_topic
from attacker import Attacker, packet, publish_packet, topic
from bystander import A, B, Unharmed, until
from city_broker import CityBroker
from collector.broker.mosquitto import Bounds

pytestmark = pytest.mark.mosquitto

LIMITS = Path(__file__).parents[2] / "deploy/mosquitto/limits.conf"
SIZE = 250_000
MB = 1_000_000
#: Small ones, so that a short attack reaches them.
BOUNDS = Bounds(queued_messages=100, queued_bytes=10 * MB, connections=400)
#: What the allocator and TLS add.
SLACK = 30 * MB


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[CityBroker]:
    with city_broker.running(tmp_path, [A, B], BOUNDS, limits=("--nofile=8192",)) as running:
        yield running


@pytest.fixture
def deaf(broker: CityBroker) -> Iterator[Attacker]:
    """A collector that has subscribed and reads nothing."""
    with Attacker(broker.settings("collector")) as collector:
        assert collector.log_in("collector-deaf") == 0
        assert collector.subscribe([ALL_REPORTS]) == b"\x01"
        yield collector


@pytest.mark.slow
@pytest.mark.parametrize("qos", [0, 1])
def test_a_flood_fills_one_queue_and_no_more(broker: CityBroker, deaf: Attacker, qos: int) -> None:
    before, queue = broker.memory, BOUNDS.queued_messages * SIZE
    if qos:
        # Under way and queued.
        queue = BOUNDS.inflight * SIZE + BOUNDS.queued_bytes
    with Unharmed(broker):
        sent = 0
        while sent < 2 * (queue + SLACK):
            sent += attacker.flood(broker.settings(A), A, 0.5, qos=qos)
            assert broker.alive
            assert broker.memory < before + queue + SLACK


@pytest.mark.slow
def test_silent_connections_shut_nobody_out(tmp_path: Path) -> None:
    limits = ("--nofile=8192",)
    with city_broker.running(tmp_path, [A, B], limits=limits) as broker, Unharmed(broker):
        silent = attacker.idle(broker.settings(A), 1100, patience_s=120)
        assert len(silent) == 1100
        with Unharmed(broker):
            pass
        for one in silent:
            one.close()


@pytest.mark.slow
def test_a_silent_connection_is_ended(broker: CityBroker) -> None:
    """Without TLS, without CONNECT, and after a CONNECT that asks for no keepalive."""
    tcp = attacker.idle(broker.settings(A), 1)[0]
    with Attacker(broker.settings(A)) as tls, Attacker(broker.settings(A)) as for_ever:
        assert for_ever.log_in("for-ever", keepalive=0) == 0
        tcp.settimeout(400)
        assert tcp.recv(1) == b""
        for one in (tls, for_ever):
            one.raw.settimeout(400)
            assert one.closed()


def test_more_connections_than_the_bound_are_refused_and_room_comes_back(
    broker: CityBroker,
) -> None:
    held = attacker.idle(broker.settings(A), BOUNDS.connections, patience_s=120)
    assert len(held) == BOUNDS.connections
    # A busy broker's queue of connections overflows, and the system makes some again later.
    until(lambda: not _lets_in(broker), what="every place taken")
    for one in held:
        one.close()
    until(lambda: _lets_in(broker), "room for B")


def _lets_in(broker: CityBroker) -> bool:
    try:
        with Attacker(broker.settings(B)) as school:
            return school.log_in(secrets.token_hex(24)) == 0
    except OSError:
        return False


@pytest.mark.slow
def test_packets_that_are_promised_and_never_sent_cost_what_they_may(broker: CityBroker) -> None:
    before, held = broker.memory, []
    with Unharmed(broker):
        for n in range(100):
            one = Attacker(broker.settings(A))
            assert one.log_in(f"promise-{n}") == 0
            assert one.send(packet(attacker.PUBLISH, b"", size=BOUNDS.packet - 10))
            held.append(one)
        assert broker.memory < before + 100 * BOUNDS.packet + SLACK
    for one in held:
        one.close()


@pytest.mark.parametrize("size", [270_001, 1_000_000, 268_435_455])
def test_a_packet_beyond_the_bound_ends_its_connection(broker: CityBroker, size: int) -> None:
    before = broker.memory
    with Unharmed(broker), Attacker(broker.settings(A)) as one:
        one.raw.settimeout(60)
        assert one.log_in("large") == 0
        one.send(packet(attacker.PUBLISH, bytes(1000), size=size))
        assert one.closed()
        assert broker.memory < before + SLACK


def test_a_huge_packet_before_log_in_ends_its_connection(broker: CityBroker) -> None:
    before = broker.memory
    with Unharmed(broker), Attacker(broker.settings(A)) as one:
        one.raw.settimeout(60)
        one.send(packet(attacker.CONNECT, bytes(1000), size=268_435_455))
        assert one.closed()
        assert broker.memory < before + SLACK


def test_ten_thousand_filters_are_refused_where_they_are_another_s(broker: CityBroker) -> None:
    with Unharmed(broker), Attacker(broker.settings(A)) as one:
        assert one.log_in("filters") == 0
        codes = one.subscribe([f"x/{n}/#" for n in range(10_000)])
        assert codes == b"\x87" * 10_000


def test_ten_thousand_own_receipts_cost_kilobytes_each_and_go_with_the_client(
    broker: CityBroker,
) -> None:
    before = broker.memory
    with Unharmed(broker), Attacker(broker.settings(A)) as one:
        assert one.log_in("receipts") == 0
        for part in range(10):
            wanted = [receipt_topic(A, f"{part * 1000 + n:032x}") for n in range(1000)]
            assert one.subscribe(wanted) == b"\x01" * 1000
        assert broker.memory < before + SLACK


def test_a_storm_of_subscriptions_leaves_nothing_behind(broker: CityBroker) -> None:
    before = broker.memory
    with Unharmed(broker), Attacker(broker.settings(A)) as one:
        assert one.log_in("storm") == 0
        for n in range(2000):
            assert one.subscribe([receipt_topic(A, f"{n % 7:032x}")]) == b"\x01"
            one.send(packet(10, b"\0\1\0" + attacker.text(receipt_topic(A, f"{n % 7:032x}")), 2))
        assert broker.memory < before + SLACK


@pytest.mark.slow
def test_a_school_that_never_reads_its_receipts_fills_its_own_queue(broker: CityBroker) -> None:
    before, payload = broker.memory, bytes(100_000)
    with Attacker(broker.settings(A)) as slow, Attacker(broker.settings("collector")) as collector:
        assert slow.log_in("slow", keepalive=0) == 0
        assert slow.subscribe([receipt_topic(A, "+")]) == b"\x01"
        assert collector.log_in("collector") == 0
        with Unharmed(broker):
            for n in range(800):
                assert collector.publish(receipt_topic(A, f"{n:032x}"), payload) in (0, 16)
        queue = (BOUNDS.inflight + BOUNDS.queued_messages) * len(payload)
        assert queue + SLACK < 800 * len(payload)
        assert broker.memory < before + queue + SLACK


@pytest.mark.slow
def test_sessions_left_behind_are_small_and_last_an_hour(broker: CityBroker) -> None:
    """How long is Mosquitto's own affair: that its bound wins over the client's wish."""
    before = broker.memory
    with Unharmed(broker):
        for n in range(1000):
            with Attacker(broker.settings(A)) as one:
                assert one.log_in(f"left-{n}", clean=False, expiry_s=2**32 - 1) == 0
                if n < 100:
                    assert one.subscribe([receipt_topic(A, "+")]) == b"\x01"
        assert broker.memory < before + SLACK
    assert "persistent_client_expiration 1h" in broker.config.read_text("utf-8").splitlines()


@pytest.mark.slow
def test_what_is_queued_for_sessions_left_behind_is_bounded(broker: CityBroker) -> None:
    payload = bytes(100_000)
    for n in range(20):
        with Attacker(broker.settings(A)) as one:
            assert one.log_in(f"left-{n}", clean=False, expiry_s=2**32 - 1) == 0
            assert one.subscribe([receipt_topic(A, "+")]) == b"\x01"
    before = broker.memory
    with Unharmed(broker), Attacker(broker.settings("collector")) as collector:
        assert collector.log_in("collector") == 0
        for n in range(800):
            assert collector.publish(receipt_topic(A, f"{n:032x}"), payload) in (0, 16)
    # One copy for all of them.
    assert broker.memory < before + BOUNDS.queued_bytes + SLACK


@pytest.mark.slow
def test_the_data_limit_is_survived_and_others_are_back_after_it(tmp_path: Path) -> None:
    """What deploy/mosquitto/limits.conf is for: here 120 MB, with a queue that could take 1 GB.

    At the limit nobody is sure of a log-in, so that the bounds of mosquitto.conf must come first.
    """
    limits = ("--data=120000000",)
    with city_broker.running(tmp_path, [A, B], limits=limits) as broker:
        with Attacker(broker.settings("collector")) as deaf:
            assert deaf.log_in("collector-deaf") == 0
            assert deaf.subscribe([ALL_REPORTS]) == b"\x01"
            floods = 0  # as many as a slow machine needs to come near the limit
            while floods < 4 or (broker.memory < 60 * MB and floods < 100):
                attacker.flood(broker.settings(A), A, 1.0)
                assert broker.alive
                assert broker.memory < 150 * MB
                floods += 1
            assert broker.memory > 60 * MB  # the limit was what held it
        until(lambda: _lets_in(broker), "B to be let in")


def test_the_bounds_of_the_settings_come_before_the_data_limit() -> None:
    """The collector's queue full of the largest, each of an address's connections with one."""
    text = LIMITS.read_text("utf-8")
    found = re.search(r"^LimitDATA=(\d+)G$", text, re.MULTILINE)
    assert found is not None
    bounds, pcs = Bounds(), 20_000 * 25_000
    most = (bounds.queued_messages + 600) * bounds.packet + pcs
    assert most < int(found[1]) * 1024**3


def test_a_message_is_not_made_larger_by_an_alias(broker: CityBroker) -> None:
    with Unharmed(broker), Attacker(broker.settings(A)) as one:
        one.raw.settimeout(60)
        assert one.log_in("alias") == 0
        one.send(publish_packet(topic(A, 1, "report", 2), b"{}", alias=1))
        assert one.closed()

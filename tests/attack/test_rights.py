"""What a school's credential can reach of others: nothing."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import attacker
import city_broker
import services
from agent.wire.ids import new_boot
from agent.wire.topics import ALL_PRESENCE, ALL_REPORTS, presence_topic, receipt_topic
from attacker import Attacker, packet, topic
from bystander import A, B, Listening, Unharmed, kept, until
from city_broker import CityBroker

pytestmark = pytest.mark.mosquitto

MACHINE = "ab" * 16
SIZE = 250_000


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityBroker]:
    with city_broker.running(tmp_path_factory.mktemp("broker"), [A, B]) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("channel", ["report", "presence"])
def test_what_a_school_has_retained_is_cleared(broker: CityBroker, channel: str) -> None:
    with Listening(broker) as listening:
        with Unharmed(broker), Attacker(broker.settings(A)) as one:
            assert one.log_in("retain") == 0
            for n in range(1, 201):
                assert one.publish(topic(A, n, channel, n + 1), bytes(SIZE), retain=True) in (0, 16)
        until(lambda: listening.counts["unretained"] >= 200, "all cleared")
        assert listening.links.outgoing.flush(services.PATIENCE_S)
    assert kept(broker) == []


def test_what_was_retained_before_the_collector_came_is_cleared(broker: CityBroker) -> None:
    with Attacker(broker.settings(A)) as one:
        assert one.log_in("retain") == 0
        for n in range(1, 21):
            assert one.publish(topic(A, n, "report", n + 1), b"{}", retain=True) in (0, 16)
    with Listening(broker) as listening:
        with Attacker(broker.settings(B)) as school:
            assert school.log_in("one more") == 0  # which has those sent that came too early
            assert school.publish(topic(B, 1, "report", 2), b"{}") == 0
        until(lambda: listening.heard > 20, "all cleared, and this one")
        assert listening.links.outgoing.flush(services.PATIENCE_S)
    assert kept(broker) == []


def test_a_large_last_will_is_cleared_and_one_of_another_school_never_published(
    broker: CityBroker,
) -> None:
    with Listening(broker) as listening:
        for n, of in enumerate((A, B)):
            with Attacker(broker.settings(A)) as one:
                will = (presence_topic(of, MACHINE), bytes(60_000))
                one.log_in(f"will-{n}", will=will)
        until(lambda: listening.counts["unretained"] >= 1, "the will cleared")
        assert listening.links.outgoing.flush(services.PATIENCE_S)
        assert listening.counts["unretained"] == 1
    assert kept(broker) == []


def test_an_ordinary_presence_stays(broker: CityBroker) -> None:
    with Listening(broker) as listening, Attacker(broker.settings(B)) as school:
        assert school.log_in("ordinary") == 0
        assert school.publish(presence_topic(B, MACHINE), b"{}", retain=True) in (0, 16)
        until(lambda: listening.heard, "the presence")
    assert kept(broker) == [presence_topic(B, MACHINE)]
    with Attacker(broker.settings(B)) as school:
        assert school.log_in("ordinary") == 0
        assert school.publish(presence_topic(B, MACHINE), b"", retain=True) in (0, 16)


def test_no_group_is_joined_whose_reports_are_others(broker: CityBroker) -> None:
    with Attacker(broker.settings("collector")) as ours, Attacker(broker.settings(A)) as thief:
        assert ours.log_in("ours") == 0
        assert ours.subscribe([f"$share/city/{ALL_REPORTS}"]) == b"\x01"
        assert thief.log_in("thief") == 0
        assert thief.subscribe([f"$share/city/{ALL_REPORTS}"]) == b"\x87"
        with Attacker(broker.settings(B)) as school:
            assert school.log_in("b") == 0
            for n in range(200):
                assert school.publish(topic(B, 1, "report", n + 2), b"{}") == 0
        for _ in range(200):
            assert ours.receive(attacker.PUBLISH) is not None


def test_a_client_id_that_is_known_is_taken_over_so_none_may_be_known(broker: CityBroker) -> None:
    """Mosquitto lets whoever logs in take an id; ours end in 64 bits that nobody else is told."""
    mine = MACHINE + new_boot()
    with Attacker(broker.settings(B)) as school, Attacker(broker.settings(A)) as thief:
        school.raw.settimeout(services.PATIENCE_S)
        assert school.log_in(mine) == 0
        assert thief.log_in(mine) == 0
        assert school.closed()
    with Attacker(broker.settings(A)) as thief:
        assert thief.log_in("thief") == 0
        # Where the boot is told: presences, reports, receipts, what the broker says of itself.
        where = [ALL_PRESENCE, ALL_REPORTS, receipt_topic(B, MACHINE), "$SYS/#", "#"]
        assert thief.subscribe(where) == b"\x87" * len(where)


def test_the_agent_and_the_collector_have_ids_that_are_drawn() -> None:
    assert len({new_boot() for _ in range(1000)}) == 1000
    from collector.service.mqtt.client import V5, make

    ids = {make(city_broker.Broker(), V5)._client_id for _ in range(100)}
    assert len(ids) == 100
    assert all(len(one) >= len("collector-") + 12 for one in ids)


def test_who_is_revoked_is_out_with_all_connections_in_the_middle_of_a_flood(
    tmp_path: Path,
) -> None:
    from collector.broker.control import Control

    with city_broker.running(tmp_path, [A, B]) as broker:
        held = [Attacker(broker.settings(A)) for _ in range(20)]
        for n, one in enumerate(held):
            one.raw.settimeout(services.PATIENCE_S)
            assert one.log_in(f"held-{n}") == 0
        flood = threading.Thread(target=attacker.flood, args=(broker.settings(A), A, 3.0))
        flood.start()
        with Unharmed(broker):
            assert Control(broker.settings("admin")).revoke(A)
            assert all(one.closed() for one in held)
            flood.join()
        with Attacker(broker.settings(A)) as again:
            assert again.log_in("again") != 0


@pytest.mark.parametrize("seed", range(4))
def test_malformed_packets_end_their_own_connection_at_most(broker: CityBroker, seed: int) -> None:
    chance = random.Random(seed)
    with Unharmed(broker):
        for n in range(100):
            with Attacker(broker.settings(A)) as one:
                if chance.random() < 0.8:
                    assert one.log_in(f"bad-{seed}-{n}") == 0
                one.send(_malformed(chance))
    assert broker.alive


def _malformed(chance: random.Random) -> bytes:
    kind, flags = chance.randrange(16), chance.randrange(16)
    body = chance.randbytes(chance.choice((0, 1, 2, 5, 30, 3000)))
    good = attacker.publish_packet(topic(A, 1, "report", 2), body, 1)
    return chance.choice(
        (
            packet(kind, body, flags),
            packet(kind, body, flags, size=chance.randrange(len(body) + 20)),
            good[: chance.randrange(1, len(good))],
            bytes([good[0]]) + b"\xff\xff\xff\xff\xff" + good[2:],
            attacker.publish_packet("schoolpulse/v1/#", body),
            attacker.publish_packet("", body),
            packet(attacker.SUBSCRIBE, b"\0\0\0" + attacker.text("a/#/b") + b"\x03", 2),
            packet(attacker.CONNECT, b"\0\4MQTT\x05\xff\xff\xff" + body),
            chance.randbytes(200),
        )
    )

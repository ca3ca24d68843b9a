"""What each service's account must do works on a real broker, and nothing beside it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

import attacker
import city_broker
import services
from agent import wire
from agent.wire.topics import (
    ALL_PRESENCE,
    ALL_REPORTS,
    LINESERVER,
    policy_topic,
    presence_topic,
    receipt_topic,
    report_topic,
)
from attacker import Attacker
from bystander import A, B, until
from city_broker import CityBroker
from collector.broker.accounts import ANSWERS, COMMANDS
from collector.lineserver.lines import PublishedLines
from collector.lineserver.turns import Limits, Wish
from collector.service.links import Links
from collector.service.mqtt.link import Link
from collector.service.mqtt.packets import Publish

pytestmark = pytest.mark.mosquitto

MACHINE = "ab" * 16
ALLOWED, DENIED = b"\x01", b"\x87"
RECEIPTS = receipt_topic("+", "+")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CityBroker]:
    with city_broker.running(tmp_path_factory.mktemp("broker"), [A, B, f"{A}-2"]) as running:
        yield running


def granted(broker: CityBroker, username: str, topic: str) -> bool:
    """Whether the account may subscribe."""
    with Attacker(broker.settings(username)) as one:
        assert one.log_in(secrets.token_hex(8)) == 0
        answer = one.subscribe([topic])
        assert answer in (ALLOWED, DENIED)
        return answer == ALLOWED


def arrives(broker: CityBroker, username: str, topic: str, reader: str = "collector") -> bool:
    """Whether what the account publishes reaches one who may read it."""
    with Attacker(broker.settings(reader)) as ours, Attacker(broker.settings(username)) as one:
        assert ours.log_in(secrets.token_hex(8)) == 0
        assert ours.subscribe([topic]) == ALLOWED
        assert one.log_in(secrets.token_hex(8)) == 0
        one.publish(topic, b"sent")  # answered once it is on its way, or refused
        ours.send(attacker.subscribe_packet([topic]))  # answered after what is on its way
        body = ours.receive(attacker.PUBLISH, attacker.SUBACK)
        return body is not None and body.endswith(b"sent")


WHAT_IS_READ = {
    "collector": {ALL_REPORTS, ALL_PRESENCE, f"$share/city-1f/{ALL_REPORTS}", "$SYS/#"},
    "keeper": {"$SYS/#"},
    LINESERVER: {policy_topic("+"), receipt_topic(LINESERVER, "+")},
    "doctor": {"$SYS/#", ALL_PRESENCE, policy_topic("+")},
    "admin": {ANSWERS},
    A: {receipt_topic(A, "+"), receipt_topic(A, MACHINE), policy_topic(A)},
    f"{A}-2": {receipt_topic(A, "+"), receipt_topic(A, MACHINE), policy_topic(A)},
}
TRIED = sorted(
    {
        *(topic for topics in WHAT_IS_READ.values() for topic in topics),
        "#", "+/#", "schoolpulse/#", "$SYS/broker/uptime", COMMANDS, "$CONTROL/#", RECEIPTS,
        receipt_topic(B, MACHINE), receipt_topic(B, "+"), policy_topic(B), f"schoolpulse/v1/{A}/#",
        f"$share/x/{receipt_topic(A, '+')}", f"$share/x/{receipt_topic(B, '+')}", "$share/x/#",
    }
)  # fmt: skip


@pytest.mark.parametrize("username", WHAT_IS_READ)
def test_an_account_reads_what_it_must_and_no_more(broker: CityBroker, username: str) -> None:
    may = WHAT_IS_READ[username]
    if "$SYS/#" in may:
        may = may | {"$SYS/broker/uptime"}
    if policy_topic("+") in may:
        may = may | {policy_topic(A), policy_topic(B)}
    assert {topic for topic in TRIED if granted(broker, username, topic)} == may & set(TRIED)


def test_the_collector_may_ask_for_the_presences_of_one_school(broker: CityBroker) -> None:
    """A group asks for them in parts; the right is for all at once."""
    assert granted(broker, "collector", presence_topic(A, "+"))
    assert not granted(broker, A, presence_topic(B, "+"))


@pytest.mark.parametrize("username", [A, B, f"{A}-2", "keeper", "doctor", LINESERVER])
def test_nobody_but_the_collector_sends_receipts_and_renewals(
    broker: CityBroker, username: str
) -> None:
    """A receipt makes a PC drop evidence, a renewal changes where it logs in."""
    assert not arrives(broker, username, receipt_topic(A, MACHINE), reader=A)
    assert arrives(broker, "collector", receipt_topic(A, MACHINE), reader=A)


@pytest.mark.parametrize("username", [A, B, f"{A}-2", "doctor", LINESERVER])
def test_nobody_but_the_city_sends_policies(broker: CityBroker, username: str) -> None:
    assert not arrives(broker, username, policy_topic(A), reader=A)
    for ours in ("collector", "keeper"):
        assert arrives(broker, ours, policy_topic(A), reader=A)


@pytest.mark.parametrize("username", [A, "keeper", "doctor", "admin"])
def test_no_school_reports_as_the_measurement_server(broker: CityBroker, username: str) -> None:
    topic = report_topic(LINESERVER, MACHINE, "0" * 16, 2)
    assert not arrives(broker, username, topic)
    assert arrives(broker, LINESERVER, topic)


def test_a_read_over_tls_brings_what_has_arrived(broker: CityBroker) -> None:
    """Of TLS a call brings one record, and the broker makes one of each packet."""
    sent, lists = threading.Event(), []

    def hear(messages: Sequence[Publish]) -> None:
        sent.wait(services.PATIENCE_S)
        lists.append(sum(not one.topic.startswith("$") for one in messages))

    links = Links(broker.settings("collector"), hear, hear, lambda: None)
    links.start()
    try:
        assert links.wait_up(services.PATIENCE_S)
        with Attacker(broker.settings(B)) as school:
            assert school.log_in(secrets.token_hex(8)) == 0
            for n in range(300):
                assert school.publish(report_topic(B, MACHINE, "0" * 16, n + 2), b"{}") == 0
        sent.set()
        until(lambda: sum(lists) >= 300, "all of them")
        assert len(lists) < 100
    finally:
        for link in (links.reports, links.outgoing):
            link.stop()


def test_the_measurement_server_gets_the_policies_with_its_own_account(
    broker: CityBroker, tmp_path: Path
) -> None:
    line = wire.LinePolicy(line="main", month_bytes=10**9, max_seconds=9)
    policy = wire.Policy(v=1, school=A, issued=1, lines=[line])
    sender = Link(broker.settings("collector"), [ALL_REPORTS], lambda *_: None, lambda: None)
    lines = PublishedLines(broker.settings(LINESERVER), tmp_path / "lines.db", by_hand=3)
    sender.start()
    try:
        assert sender.wait_up(services.PATIENCE_S)
        assert sender.publish(policy_topic(A), wire.encode(policy), retain=True)
        lines.start()  # the retained ones come with the connection
        until(lambda: lines.known, "the policy")
        wish = Wish(school=A, machine=MACHINE, line="main", month_bytes=10**18)
        assert isinstance(lines(wish), Limits)
        assert lines(msgspec.structs.replace(wish, line="invented")) == "unknown_line"
        assert sender.publish(policy_topic(A), b"", retain=True)
        until(lambda: not lines.known, "the school to leave")
    finally:
        lines.stop()
        sender.stop()

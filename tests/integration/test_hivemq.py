"""HiveMQ by the settings of deploy/hivemq, which admits by the file that `enrol hivemq` writes.

How it is run: `hivemq_running`.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

import hivemq_home
import services
from agent import wire
from agent.wire.topics import ALL_PRESENCE, ALL_REPORTS, PREFIX, presence_topic, report_topic
from collector.broker import hivemq
from collector.broker.accounts import Account
from collector.config import Mqtt
from collector.service.links import Links
from collector.service.mqtt.packets import Publish
from hivemq_running import PROGRAM, Client, running
from pki import Ca
from voice import PATIENCE_S, Voice, until

pytestmark = pytest.mark.skipif(not PROGRAM, reason="SCHOOLPULSE_TEST_HIVEMQ names no program")
#: MQTT 3.1.1, a clean session of a client "x".
_CONNECT = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01x"
SCHOOL, OTHER = "9963000001", "9963000002"
ACCOUNTS = {
    name: Account(name, secrets.token_hex(16), "" if name == "collector" else name)
    for name in (SCHOOL, OTHER, "collector")
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hivemq")


@pytest.fixture(scope="module")
def port(home: Path) -> Iterator[int]:
    found = services.free_port()
    hivemq_home.lay_out(home, found, accounts=hivemq.document(ACCOUNTS.values()))
    with running(home, found):
        yield found


@pytest.fixture
def login(port: int) -> Iterator[Callable[..., Client]]:
    made: list[Client] = []

    def of(name: str, password: str = "") -> Client:
        made.append(Client(port, name, password or ACCOUNTS[name].password))
        return made[-1]

    yield of
    for one in made:
        one.end()


def test_a_wrong_password_does_not_log_in(login: Callable[..., Client]) -> None:
    assert login(SCHOOL, "w" * 32).answer().is_failure
    assert login("9963000009", "w" * 32).answer().is_failure


@pytest.mark.parametrize(
    ("topic", "may"),
    [
        (f"{PREFIX}/{SCHOOL}/+/receipt", True),
        (f"{PREFIX}/{SCHOOL}/policy", True),
        (f"{PREFIX}/{OTHER}/policy", False),
        (f"{PREFIX}/+/policy", False),
        (f"{PREFIX}/+/+/receipt", False),
        (f"$share/city/{ALL_REPORTS}", False),
        (f"$share/city/{PREFIX}/{SCHOOL}/+/receipt", False),
        (ALL_PRESENCE, False),
        ("#", False),
    ],
)
def test_what_a_school_may_hear(login: Callable[..., Client], topic: str, may: bool) -> None:
    school = login(SCHOOL)
    assert not school.answer().is_failure
    assert school.subscribed(topic) is may


@pytest.mark.parametrize(
    ("topic", "may"),
    [
        (f"{PREFIX}/{SCHOOL}/{'a' * 32}/report/{'b' * 16}/2", True),
        (f"{PREFIX}/{SCHOOL}/{'a' * 32}/presence", True),
        (f"{PREFIX}/{OTHER}/{'a' * 32}/report/{'b' * 16}/2", False),
        (f"{PREFIX}/{SCHOOL}/{'a' * 32}/receipt", False),
        (f"{PREFIX}/{SCHOOL}/policy", False),
    ],
)
def test_what_a_school_may_say(login: Callable[..., Client], topic: str, may: bool) -> None:
    school = login(SCHOOL)
    assert not school.answer().is_failure
    assert school.published(topic) is may


def test_the_collectors_share_what_a_school_says_and_a_policy_stays_whole(
    login: Callable[..., Client],
) -> None:
    both = [login("collector"), login("collector")]
    for one in both:
        assert not one.answer().is_failure
        assert one.subscribed(f"$share/city/{ALL_REPORTS}")
    properties = mqtt.Properties(mqtt.PacketTypes.PUBLISH)
    properties.UserProperty = [("kept", "here")]
    assert both[0].published(f"{PREFIX}/{OTHER}/policy", retain=True, properties=properties)
    other = login(OTHER)
    assert not other.answer().is_failure
    topics = {f"{PREFIX}/{OTHER}/{'c' * 32}/report/{'d' * 16}/{n}" for n in range(2, 52)}
    assert all(other.published(topic) for topic in sorted(topics))
    heard = [one.said.get(timeout=PATIENCE_S).topic for one in _shared(both, len(topics))]
    assert sorted(heard) == sorted(topics), "each once"
    assert other.subscribed(f"{PREFIX}/{OTHER}/policy")
    policy = other.answer()
    assert policy.retain
    assert policy.properties.UserProperty == [("kept", "here")]


@pytest.mark.parametrize("group", ["", "city"])
def test_the_collector_asks_for_presences_by_school_and_has_them_though_it_leaves_at_once(
    port: int, login: Callable[..., Client], group: str
) -> None:
    school = login(SCHOOL)
    assert not school.answer().is_failure
    topics = [presence_topic(SCHOOL, f"{n:032x}") for n in range(60)]
    assert all(school.published(topic, retain=True) for topic in topics)
    asked_for: list[str] = []

    def hear(messages: Sequence[Publish]) -> None:
        asked_for.extend(one.topic for one in messages if one.retained)

    def ignore(*_: object) -> None: ...

    account = Mqtt(
        port=port, username="collector", password=ACCOUNTS["collector"].password, group=group
    )
    links = Links(account, ignore if group else hear, hear, ignore)
    links.start()
    try:
        assert links.wait_up(PATIENCE_S)
        assert ALL_PRESENCE not in links.presences.denied
        for _ in range(2):
            links.ask_presences([SCHOOL, OTHER])
            links.ask_presences([])
            until(lambda: len(asked_for) >= len(topics), what="what is retained")
            assert sorted(asked_for) == topics, "each once, and none unasked"
            asked_for.clear()
        assert not links.presences.trouble.event
    finally:
        for link in (links.reports, links.outgoing, links.presences):
            link.stop()


def _shared(clients: list[Client], count: int) -> Iterator[Client]:
    """`count` times one that has a message."""
    until(lambda: sum(one.said.qsize() for one in clients) >= count, what="shared reports")
    for one in clients:
        for _ in range(one.said.qsize()):
            yield one


def test_who_is_revoked_is_refused_once_the_file_is_read_again_and_nobody_else(
    home: Path, login: Callable[..., Client]
) -> None:
    login(OTHER).answer()
    left = [one for one in ACCOUNTS.values() if one.username != SCHOOL]
    hivemq_home.add_accounts(home, hivemq.document(left))
    until(lambda: login(SCHOOL).answer().is_failure, what="refused")
    assert not login(OTHER).answer().is_failure


def test_the_shipped_listener_wants_tls(tmp_path: Path) -> None:
    ca, port = Ca(tmp_path / "ca"), services.free_port()
    signed = ca.sign("127.0.0.1")
    store, word = tmp_path / "server.p12", secrets.token_hex(16)
    argv = ["openssl", "pkcs12", "-export", "-in", str(signed.certificate), "-inkey"]
    argv += [str(signed.key), "-out", str(store), "-passout", "env:SCHOOLPULSE_KEYSTORE"]
    subprocess.run(argv, check=True, env=os.environ | {"SCHOOLPULSE_KEYSTORE": word})
    accounts = hivemq.document(ACCOUNTS.values())
    hivemq_home.lay_out_tls(tmp_path, port, store, word, accounts)
    with running(tmp_path, port):
        school = Client(port, SCHOOL, ACCOUNTS[SCHOOL].password, ca.path)
        assert not school.answer().is_failure
        school.end()
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain:
            plain.sendall(_CONNECT)
            assert plain.recv(1)[:1] != b"\x20", "no CONNACK"


def test_a_policy_is_whole_after_the_broker_was_killed(tmp_path: Path) -> None:
    port = services.free_port()
    hivemq_home.lay_out(tmp_path, port)
    properties = mqtt.Properties(mqtt.PacketTypes.PUBLISH)
    properties.UserProperty, properties.ContentType = [("kept", "here")], "x/y"
    topic = f"{PREFIX}/{SCHOOL}/policy"
    with running(tmp_path, port) as broker:
        before = Client(port, "collector", "")
        assert not before.answer().is_failure
        assert before.published(topic, retain=True, properties=properties)
        broker.kill()
        before.end()
        broker.start()
        after = Client(port, SCHOOL, "")
        assert not after.answer().is_failure
        assert after.subscribed(topic)
        policy = after.answer()
        after.end()
    assert policy.retain
    assert policy.payload == b"x"
    assert policy.properties.UserProperty == [("kept", "here")]
    assert policy.properties.ContentType == "x/y"


@pytest.mark.parametrize("group", ["", "city"])
def test_while_the_collector_stands_still_the_queue_holds_5000_reports(
    tmp_path: Path, kit: Any, group: str
) -> None:
    """Nobody here sends anything again; HiveMQ's own default holds 1,000."""
    port = services.free_port()
    hivemq_home.lay_out(tmp_path / "hivemq", port)
    process = kit.Process(tmp_path, port, tables=f"group = '{group}'\n")
    process.enrol(kit.SCHOOL)
    with running(tmp_path / "hivemq", port):
        process.start()
        try:
            process.up()
            with Voice(port) as pc:
                process.running.send_signal(signal.SIGSTOP)
                _say(pc, range(2, 5002), kit.report)
                process.running.send_signal(signal.SIGCONT)
                until(lambda: len(pc.stored) == 5000, what="5,000 receipts")
        finally:
            process.end()
    found = kit.reports_of(process.config)
    assert sorted(number for *_, number in found) == list(range(2, 5002)), "each once"


def _say(pc: Voice, numbers: range, report: Callable[..., wire.Message]) -> None:
    """Publish them, a millisecond apart, and return when the broker has taken all."""
    begun, sent = time.time_ns() // 1_000_000 - len(numbers), []
    for number in numbers:
        topic = report_topic(pc.school, pc.machine, pc.boot, number)
        body = wire.encode(report(time_ms=begun + number))
        sent.append(pc._client.publish(topic, body, 1))
    for one in sent:
        one.wait_for_publish(PATIENCE_S)

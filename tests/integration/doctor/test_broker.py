"""What is wrong with the broker or the way to it: each cause has a fix of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

import pki
import services
from agent.common.broker_settings import AgentBroker
from agent.doctor import reach
from agent.mqtt.accounts import Account
from collector.broker.session import stop_loop
from collector.doctor.broker import dropped

from .conftest import Doctor


@contextmanager
def tls_broker(folder: Path, signed: pki.Signed) -> Iterator[int]:
    folder.mkdir()
    more = f"certfile {signed.certificate}\nkeyfile {signed.key}\n"
    with services.broker("mosquitto", folder, more) as running:
        yield running.port


def both_sides(doctor: Doctor, port: int, host: str, ca: Path) -> list[tuple[str, str]]:
    """What the city's doctor and a school PC's say of this broker."""
    city = doctor(f'[mqtt]\nhost = "{host}"\nport = {port}\ntls = true\nca = "{ca}"\n')["broker"]
    assert not city["ok"]
    broker = AgentBroker(host=host, port=port, tls=True, ca=str(ca))
    found = list(reach.checks(broker, Account(broker)))
    assert found[-1].ok is False
    return [(city["detail"], city["fix"]), (found[-1].detail, found[-1].fix)]


@pytest.mark.mosquitto
def test_a_certificate_of_another_ca(tmp_path: Path, doctor: Doctor) -> None:
    ours, theirs = pki.Ca(tmp_path / "ours"), pki.Ca(tmp_path / "theirs", "another")
    with tls_broker(tmp_path / "b", theirs.sign("127.0.0.1")) as port:
        (detail, fix), agent = both_sides(doctor, port, "127.0.0.1", ours.path)
    assert "signed by another CA" in detail
    assert str(ours.path) in fix
    assert "另一个 CA" in agent[0]
    assert str(ours.path) in agent[1]


@pytest.mark.mosquitto
def test_a_certificate_for_another_name(tmp_path: Path, doctor: Doctor) -> None:
    ca = pki.Ca(tmp_path / "ours")
    with tls_broker(tmp_path / "b", ca.sign("mqtt.example")) as port:
        for host in ("127.0.0.1", "localhost"):
            (detail, fix), agent = both_sides(doctor, port, host, ca.path)
            assert f"not for {host}" in detail
            assert host in fix
            assert f"不是给 {host}" in agent[0]


@pytest.mark.mosquitto
def test_a_certificate_that_has_expired_or_is_to_come(tmp_path: Path, doctor: Doctor) -> None:
    ca = pki.Ca(tmp_path / "ours")
    for name, span, said in (
        ("b", pki.EXPIRED, "has expired"),
        ("c", pki.NOT_YET, "not valid yet"),
    ):
        with tls_broker(tmp_path / name, ca.sign("127.0.0.1", span)) as port:
            settings = f'[mqtt]\nport = {port}\ntls = true\nca = "{ca.path}"\n'
            check = doctor(settings)["broker"]
        assert said in check["detail"]
        assert "clock" in check["fix"]


@pytest.mark.mosquitto
def test_a_port_without_tls(tmp_path: Path, doctor: Doctor, kit: Any) -> None:
    ca = pki.Ca(tmp_path / "ours")
    folder = tmp_path / "b"
    folder.mkdir()
    with services.broker("mosquitto", folder) as running:
        (_, fix), agent = both_sides(doctor, running.port, "127.0.0.1", ca.path)
    assert "port" in fix
    assert "端口" in agent[1]


@pytest.mark.mosquitto
def test_certificates_that_end_within_thirty_days(tmp_path: Path, doctor: Doctor) -> None:
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    soon = (now - dt.timedelta(days=1), now + dt.timedelta(days=20, hours=1))
    good = (now - dt.timedelta(days=1), now + dt.timedelta(days=40, hours=1))
    for name, of_ca, of_server in (("a", soon, good), ("b", good, soon)):
        ca = pki.Ca(tmp_path / f"ca-{name}", span=of_ca)
        with tls_broker(tmp_path / name, ca.sign("127.0.0.1", of_server)) as port:
            found = doctor(f'[mqtt]\nport = {port}\ntls = true\nca = "{ca.path}"\n')
        assert found["CA"]["ok"] is (of_ca is good)
        assert found["broker's certificate"]["ok"] is (of_server is good)
        late = found["CA"] if of_ca is soon else found["broker's certificate"]
        assert "20 days" in late["detail"]
        assert late["fix"]


def test_no_such_name_and_nobody_there(doctor: Doctor) -> None:
    check = doctor('[mqtt]\nhost = "no-such-host.invalid"\n')["broker"]
    assert "DNS" in check["fix"]
    check = doctor(f"[mqtt]\nport = {services.free_port()}\n")["broker"]
    assert "refused" in check["detail"]
    assert "start the broker" in check["fix"]


@pytest.mark.mosquitto
def test_messages_that_the_broker_dropped(tmp_path: Path, doctor: Doctor, kit: Any) -> None:
    folder = tmp_path / "b"
    folder.mkdir()
    with services.broker("mosquitto", folder, "max_queued_messages 1") as running:
        away = mqtt.Client(CallbackAPIVersion.VERSION2, "away", clean_session=False)
        subscribed: list[int] = []
        away.on_connect = lambda client, *_: client.subscribe("t", 1)
        away.on_subscribe = lambda *_: subscribed.append(1)
        away.connect("127.0.0.1", running.port)
        away.loop_start()
        kit.until(lambda: bool(subscribed), what="subscription")
        away.disconnect()
        stop_loop(away)
        sender = mqtt.Client(CallbackAPIVersion.VERSION2)
        sender.connect("127.0.0.1", running.port)
        sender.loop_start()
        for _ in range(60):
            sender.publish("t", b"x", 1).wait_for_publish(30)
        counted: list[int] = []
        sender.on_message = lambda _c, _d, message: counted.append(int(message.payload))
        sender.subscribe("$SYS/broker/publish/messages/dropped")
        kit.until(lambda: bool(counted) and counted[-1] > 0, what="the broker's count")
        sender.disconnect()
        stop_loop(sender)
        check = doctor(f"[mqtt]\nport = {running.port}\n")["broker's queues"]
    assert check["ok"] is False
    assert "max_queued_messages" in check["fix"]


def test_drops_are_counted_over_restarts_of_the_broker() -> None:
    assert dropped([], None) is None
    assert dropped([], 3) == 3
    assert dropped([7, 7, 7], 7) == 0
    assert dropped([7, 9, 0, 2], 5) == 7

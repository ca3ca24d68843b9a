"""The fleet: many agents, the real outbox and link, and every report marked simulated."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import pytest

from agent.common.settings import Broker
from agent.mqtt import Link, State
from agent.wire import AgentHealth, Hello, Host, LineTest, Report, decode_message
from collector.simulate.fleet import Fleet, FleetAgent


def agents(count: int) -> list[FleetAgent]:
    names = [hashlib.md5(str(n).encode()).hexdigest() for n in range(count)]
    return [FleetAgent("9900000001", name, lambda: (Host(cpu_percent=5.0),)) for name in names]


def test_every_report_of_fifty_agents_arrives_once(
    services: Any, tmp_path: Path, collector: Any, until: Any
) -> None:
    (tmp_path / "broker").mkdir()
    with services.broker("mosquitto", tmp_path / "broker") as running:
        city = collector(running.port)
        before = threading.active_count()
        fleet = Fleet(Broker(port=running.port), agents(50), tmp_path / "fleet", report_s=0.5)
        fleet.start()
        assert threading.active_count() - before == 2
        until(lambda: len(fleet.produced()) >= 200)
        fleet.quiet()
        name = agents(1)[0].machine
        number = fleet.put(name, (LineTest(test="t", line="甲", outcome="ok"),), evidence=True)
        until(lambda: fleet.waiting() == 0)
        assert {key for key in city.heard if key[2] > 1} == fleet.produced()
        assert any(key[0] == name and key[2] == number for key in fleet.produced())
        fleet.stop()
    for payloads in city.heard.values():
        message = decode_message(payloads[0])
        assert message.simulated
        if isinstance(message, Report):
            assert sum(isinstance(one, AgentHealth) for one in message.readings) == 1
        else:
            assert isinstance(message, Hello)


def test_links_connect_in_turn_where_the_broker_bears_no_crowd(
    services: Any, tmp_path: Path, collector: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connecting, most = set(), 0
    set_state = Link._set_state

    def noted(link: Link, state: State) -> None:
        nonlocal most
        (connecting.discard if state is State.READY else connecting.add)(link)
        most = max(most, len(connecting))
        set_state(link, state)

    (tmp_path / "broker").mkdir()
    with services.broker("amqtt", tmp_path / "broker") as running:
        collector(running.port, five=False)
        broker = Broker(port=running.port, protocol="3.1.1")
        fleet = Fleet(broker, agents(20), tmp_path / "fleet", report_s=0.5, connecting=1)
        monkeypatch.setattr(Link, "_set_state", noted)
        fleet.start()
        until(lambda: len(fleet.produced()) >= 40)
        fleet.quiet()
        until(lambda: fleet.waiting() == 0)
        assert most == 1
        fleet.stop()


def test_what_waits_stays_in_the_outboxes(services: Any, tmp_path: Path) -> None:
    nobody = Broker(port=services.free_port())
    fleet = Fleet(nobody, agents(3), tmp_path, report_s=300)
    fleet.start()
    for agent in agents(3):
        fleet.put(agent.machine, ())
    fleet.stop()
    again = Fleet(nobody, agents(3), tmp_path, report_s=300)
    assert again.waiting() >= 3
    assert again.produced() == set()

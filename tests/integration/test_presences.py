"""Presences: each is stored once, by a collector alone or in a group, whatever was missed."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import services
from agent import wire
from agent.wire.topics import presence_topic
from collector.config import Config, Mqtt, Store
from collector.service.links import Links
from collector.service.mqtt.packets import Publish

SCHOOL = "9900000001"
#: The broker keeps fewer messages for a client than the presences of two dozen schools.
QUEUE, SCHOOLS, PCS = 160, 24, 10


@pytest.fixture(params=["mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Shared subscriptions are MQTT 5's: amqtt has none."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with services.broker(request.param, folder, f"max_queued_messages {QUEUE}\n") as running:
        yield running


@dataclass
class Told:
    """What PCs said of their presence, and what the group's store has of that."""

    config: Config
    pc: Any
    kit: Any
    said: list[tuple[str, bool]] = field(default_factory=list)

    def say(self, machine: int, online: bool) -> None:
        told = wire.Presence(v=1, boot=f"{machine:016x}", online=online)
        topic = presence_topic(SCHOOL, f"{machine:032x}")
        self.pc.publish(topic, wire.encode(told), retain=True)
        self.said.append((f"{machine:032x}", online))

    def stored(self) -> list[tuple[str, bool]]:
        points = self.kit.points_of(self.config, "presence")
        return [(point.tags["machine"], bool(point.fields["online"])) for point in points]

    def once(self) -> None:
        """All of it is stored, and each once."""
        self.kit.until(lambda: len(self.stored()) >= len(self.said), what="every presence")
        assert sorted(self.stored()) == sorted(self.said)


@pytest.fixture
def told(process: Any, voice: Any, kit: Any, influxdb: Any) -> Any:
    """With settings for a group on one InfluxDB, of which none has been started."""
    names = [influxdb.create(f"{kind}-presences") for kind in ("t", "e")]
    process.tables = (
        'group = "collectors"\n'
        f'[store]\nkind = "influxdb"\nurl = "{influxdb.url}"\norg = ""\n'
        f'telemetry = "{names[0]}"\nevidence = "{names[1]}"\n'
    )
    yield Told(Config(store=Store("influxdb", influxdb.url, "", "", *names)), voice(), kit)
    for name in names:
        influxdb.drop(name)


def _listening(kit: Any, one: Any, times: int) -> None:
    """Wait until it has connected so often by both: the one that hears its share, and the one
    that hears all presences."""
    one.up(times)
    kit.until(lambda: one.log().count("listening=True") == 2 * times, what="the crier")


@pytest.fixture
def pair(process: Any, kit: Any, told: Told) -> Any:
    """Two collectors of a group, both listening."""
    made: list[Any] = []
    try:
        for n in (1, 2):
            made.append(process.member(n, SCHOOL))
            made[-1].start()
            _listening(kit, made[-1], 1)
        yield made
    finally:
        for one in made:
            one.end()


def test_a_group_stores_each_presence_once(pair: Any, told: Told, kit: Any) -> None:
    """By one of its collectors; and what the broker retains for one that starts is known."""
    for machine in range(1, 11):
        told.say(machine, True)
    for machine in range(1, 6):
        told.say(machine, False)
    told.once()
    told.say(3, True)  # the same boot came back, and it may be another collector that hears it
    told.once()
    assert pair[0].signal(signal.SIGTERM) == 0
    told.say(20, True)  # for the other
    told.once()
    pair[0].start()
    _listening(kit, pair[0], 2)
    for machine in range(30, 40):
        told.say(machine, True)
    told.once()


def test_a_presence_that_was_lost_with_its_collector_is_stored_by_another(
    pair: Any, told: Told, kit: Any
) -> None:
    """As the broker still has it, once it is asked: here, because the register changed."""
    for machine in range(1, 6):
        told.say(machine, True)
    told.once()
    pair[0].running.send_signal(signal.SIGSTOP)
    for machine in range(3, 13):
        told.say(machine, machine > 5)
    kit.until(lambda: len(told.stored()) > 5, what="the share of the other")
    pair[0].signal(signal.SIGKILL)
    assert len(told.stored()) < len(told.said), "the first was given some of them"
    pair[1].enrol(SCHOOL, "9900000002")
    told.once()


def test_a_collector_that_starts_learns_of_more_pcs_than_the_broker_queues(
    process: Any, voice: Any, kit: Any
) -> None:
    schools = [f"99000000{n:02}" for n in range(1, SCHOOLS + 1)]
    machines = {(school, f"{int(school) * 100 + n:032x}") for school in schools for n in range(PCS)}
    pc = voice()
    for school, machine in machines:
        told = wire.Presence(v=1, boot="1" * 16, online=True)
        pc.publish(presence_topic(school, machine), wire.encode(told), retain=True)
    process.enrol(*schools)
    process.start()

    def stored() -> list[tuple[str, str]]:
        points = kit.points_of(process.config, "presence")
        return [(point.tags["school"], point.tags["machine"]) for point in points]

    kit.until(lambda: len(stored()) >= len(machines), what="every presence")
    assert sorted(stored()) == sorted(machines)


@pytest.mark.parametrize("group", ["", "city"])
def test_a_live_presence_comes_once_though_its_school_was_asked_for(
    broker: Any, voice: Any, kit: Any, group: str
) -> None:
    heard: list[str] = []

    def hear(messages: Sequence[Publish]) -> None:
        heard.extend(one.topic.split("/")[3] for one in messages if "presence" in one.topic)

    def ignore(*_: object) -> None: ...

    links = Links(Mqtt(port=broker.port, group=group), ignore if group else hear, hear, ignore)
    links.start()
    try:
        assert links.wait_up(60)
        pc, told = voice(), wire.encode(wire.Presence(v=1, boot="1" * 16, online=True))
        pc.publish(presence_topic("9900000002", "d" * 32), told, retain=True)
        kit.until(lambda: heard, what="a live one")
        for schools in ([SCHOOL], ["9900000002"]):
            links.ask_presences(schools)
        kit.until(lambda: len(heard) == 2, what="the broker's answers, in order")
        heard.clear()
        for machine in ("a" * 32, "b" * 32, "c" * 32):
            pc.publish(presence_topic(SCHOOL, machine), told, retain=True)
        kit.until(lambda: "c" * 32 in heard, what="the last one")
        assert heard == ["a" * 32, "b" * 32, "c" * 32]
    finally:
        for link in (links.reports, links.outgoing, links.presences):
            link.stop()

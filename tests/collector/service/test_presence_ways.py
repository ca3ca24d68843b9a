"""The ways of a presence through a collector: its share, the copies of all, what is retained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import wire
from agent.wire.topics import presence_topic
from collector.config import Config, Mqtt
from collector.roster.register import Register, School
from collector.service import Collector
from collector.service import presence_check as module
from collector.service.mqtt.packets import Publish
from collector.store.sqlite import SqliteStore

SCHOOL, PC, BOOT = "9900000001", "ab" * 16, "1" * 16


def told(online: bool, *, retained: bool) -> list[Publish]:
    body = wire.encode(wire.Presence(v=1, boot=BOOT, online=online))
    return [Publish(presence_topic(SCHOOL, PC), body, retained, b"", 0)]


def town() -> Register:
    return Register(schools={SCHOOL: School(SCHOOL, "示例小学", "630102", "小学", "630102")})


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Collector]]:
    """A collector that has read its register and was not started: the test is its threads."""
    monkeypatch.setattr(module, "WAIT_S", 0.0)
    stores: list[SqliteStore] = []
    made: list[Collector] = []

    def collector(group: str) -> Collector:
        stores.append(SqliteStore(tmp_path / "store.db", telemetry_days=36500))
        config = Config(data=str(tmp_path), mqtt=Mqtt(group=group))
        made.append(Collector(config, stores[-1], town))
        made[-1]._roster.refresh()
        return made[-1]

    yield collector
    for one in made:
        one._gate.close()
        one._files.close()
    for store in stores:
        store.close()


def hear(one: Collector, messages: list[Publish]) -> None:
    """By the connection that has the presences of all."""
    one._links.presences._deliver(messages)


def states(one: Collector) -> list[bool]:
    """What is stored once the sorter has looked round."""
    one._worker.handle(one._inbox.take(100, 0, 0, 0))
    rows = one._store.read("presence", 0, 2**62)
    return [row.fields["online"] is True for row in rows]


def test_in_a_group_what_is_retained_is_stored_by_the_connection_of_all_presences(
    make: Callable[[str], Collector],
) -> None:
    one = make("city")
    one._reception.received(told(True, retained=True))
    assert states(one) == [], "some brokers send it to who joins the group again"
    hear(one, told(True, retained=True))
    assert states(one) == [True], "no message is needed for it to be judged"
    assert states(one) == [True]


def test_in_a_group_a_live_one_is_stored_by_the_member_that_it_is_for(
    make: Callable[[str], Collector],
) -> None:
    one = make("city")
    hear(one, told(True, retained=True))
    hear(one, told(False, retained=False))
    assert states(one) == [], "the retained one has had its day"
    one._reception.received(told(False, retained=False))
    assert states(one) == [False]


def test_what_the_broker_may_not_retain_is_no_presence(
    make: Callable[[str], Collector], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, cleared = make("city"), []
    monkeypatch.setattr(one._retained, "_publish", lambda *said, **_: not cleared.append(said))
    long = told(True, retained=True)[0]._replace(payload=b"x" * 5000)
    hear(one, [long])
    assert cleared == [(long.topic, b"")]
    assert states(one) == []


def test_alone_what_is_retained_is_judged_as_it_comes(make: Callable[[str], Collector]) -> None:
    one = make("")
    for online, retained in ((True, True), (False, False), (False, True)):
        one._reception.received(told(online, retained=retained))
    assert states(one) == [True, False]


@pytest.mark.parametrize("place", [f"{SCHOOL}/report", f"{SCHOOL}/{PC}/report/x"])
def test_a_long_presence_is_cleared_whatever_its_topic_looks_like(
    make: Callable[[str], Collector], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """A broker gives a live one without saying that it keeps it."""
    one, cleared = make(""), []
    monkeypatch.setattr(one._retained, "_publish", lambda *said, **_: not cleared.append(said))
    topic = f"schoolpulse/v1/{place}/presence"
    one._reception.received([Publish(topic, b"x" * 5000, False, b"", 0)])
    assert cleared == [(topic, b"")]
    assert len(one._inbox) == 0

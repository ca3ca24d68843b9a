"""What the broker's thread does with each read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from agent.wire.topics import presence_topic, report_topic
from collector.service.mqtt.packets import Outgoing, Publish, packet_of, publish_at
from collector.service.mqtt.reports import reports_at
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.inbox import Inbox, Message
from collector.service.reception import Reception
from collector.service.retained import Retained

SCHOOL, PC = "1" * 10, "c" * 32
SYS = "$SYS/broker/clients/connected"


def report(number: int) -> str:
    return report_topic(SCHOOL, PC, "b" * 16, number)


class Made:
    def __init__(self, grouped: bool = False, limit: int = 99) -> None:
        self.inbox, self.counts = Inbox(limit), Counts()
        self.inbox.set_put_timeout(0)
        self.cleared: list[str] = []
        self.up = True
        self.hellos: list[str] = []
        self.said: list[str] = []
        retained, said = Retained(self._publish, self.counts), self._broker_said
        self.reception = Reception(
            self.inbox, self.counts, retained, self._hello, said, grouped=grouped
        )

    def _publish(self, topic: str, payload: bytes, **_: bool) -> bool:
        if self.up:
            self.cleared.append(topic)
        return self.up

    def _broker_said(self, topic: str, payload: bytes) -> None:
        self.said.append(topic)

    def _hello(self, topic: str, payload: bytes) -> bool:
        if payload == b"bad":
            raise ValueError("a bug")
        self.hellos.append(topic)
        return payload == b"hello"

    def read(self, *messages: Publish) -> list[str]:
        """The topics that the inbox has of them."""
        self.reception.received(messages)
        return self.taken()

    def read_bytes(self, sent: Sequence[str]) -> None:
        stream = b"".join(packet_of(Outgoing(topic, bytes(200)), 7, True) for topic in sent)
        found = reports_at(stream, 0, True)
        assert found is not None
        assert len(found) == len(sent)
        self.reception.received(found)

    def taken(self) -> list[str]:
        found: list[Message] = self.inbox.take(99, 0, 0, 0)
        return [message.topic for message in found]


def said(topic: str, payload: bytes = b"{}", retained: bool = False) -> Publish:
    return Publish(topic, payload, retained, b"", 0)


def test_reports_as_they_came_are_put_and_counted() -> None:
    made = Made()
    made.read_bytes([report(n) for n in range(2, 6)])
    assert made.taken() == [report(n) for n in range(2, 6)]
    assert (made.counts["received"], made.counts["turned_away"]) == (4, 0)
    assert made.hellos == []


def test_what_finds_no_room_is_turned_away_and_counted() -> None:
    made = Made(limit=3)
    made.read_bytes([report(n) for n in range(2, 6)])
    assert made.read(said(report(6)), said(report(7))) == [report(2), report(3), report(4)]
    assert (made.counts["received"], made.counts["turned_away"]) == (6, 3)


def test_a_hello_goes_past_the_inbox_and_what_is_none_into_it() -> None:
    made = Made()
    heard = made.read(said(report(1), b"hello"), said(report(1), b"other"), said(report(2)))
    assert heard == [report(1), report(2)]
    assert made.hellos == [report(1)] * 2
    assert made.counts["received"] == 3


def test_a_bug_in_one_costs_no_other() -> None:
    made = Made()
    assert made.read(said(report(2)), said(report(1), b"bad"), said(report(3))) == [
        report(2), report(3),
    ]  # fmt: skip


def test_the_broker_s_own_counts_are_no_message_of_a_pc() -> None:
    made = Made()
    assert made.read(said(SYS, b"7"), said(report(2))) == [report(2)]
    assert made.said == [SYS]
    assert made.counts["received"] == 1


@pytest.mark.parametrize("grouped", [True, False])
def test_a_presence_that_the_broker_had_kept_is_left_to_its_own_connection_in_a_group(
    grouped: bool,
) -> None:
    made, topic = Made(grouped), presence_topic(SCHOOL, PC)
    assert made.read(said(topic, retained=True)) == ([] if grouped else [topic])
    assert made.read(said(topic)) == [topic]
    assert made.counts["received"] == 1


def test_a_retained_report_is_cleared_and_handled() -> None:
    made = Made()
    assert made.read(said(report(2), retained=True)) == [report(2)]
    assert made.cleared == [report(2)]


def test_what_could_not_be_cleared_is_cleared_with_the_next_read_of_either_kind() -> None:
    ways: list[Callable[[Made], object]] = [
        lambda made: made.read_bytes([report(3)]), lambda made: made.read(said(SYS)),
    ]  # fmt: skip
    for later in ways:
        made = Made()
        made.up = False
        made.read(said(report(2), retained=True))
        made.up = True
        later(made)
        assert made.cleared == [report(2)]


def test_presences_of_one_read_are_told_apart_by_their_time() -> None:
    made = Made()
    made.reception.received([said(presence_topic(SCHOOL, PC))] * 3)
    assert len({message.arrived for message in made.inbox.take(9, 0, 0, 0)}) == 3


def test_all_arrive_now() -> None:
    made, begun = Made(), time.time_ns()
    made.read_bytes([report(2), report(3)])
    made.reception.received([said(report(4))])
    arrived = [message.arrived for message in made.inbox.take(9, 0, 0, 0)]
    assert begun <= arrived[0] < arrived[1] < arrived[2] <= time.time_ns() + 9


def test_a_report_says_the_same_whether_it_comes_alone_or_among_others() -> None:
    packet, made = packet_of(Outgoing(report(2), bytes(200)), 7, True), Made()
    one = publish_at(packet, 0, True)
    assert one is not None
    made.reception.received([one])
    made.read_bytes([report(2)])
    alone, among = made.inbox.take(9, 0, 0, 0)
    assert replace(alone, arrived=0) == replace(among, arrived=0)

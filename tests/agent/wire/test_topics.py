"""Topics are built and taken apart alike; anything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.wire import LINESERVER, TopicError, parse_topic
from agent.wire.ids import device_id, point_time
from agent.wire.topics import Topic, policy_topic, presence_topic, receipt_topic, report_topic

SCHOOLS = st.from_regex(r"[0-9]{10}", fullmatch=True).filter(str.isascii) | st.just(LINESERVER)
MACHINES = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
BOOTS = st.from_regex(r"[0-9a-f]{16}", fullmatch=True)
NUMBERS = st.integers(1, 10**15)


@given(SCHOOLS, MACHINES, BOOTS, NUMBERS)
def test_round_trip(school: str, machine: str, boot: str, number: int) -> None:
    report = report_topic(school, machine, boot, number)
    assert parse_topic(report) == Topic(school, "report", machine, boot, number)
    assert parse_topic(receipt_topic(school, machine)) == Topic(school, "receipt", machine, "", 0)
    assert parse_topic(presence_topic(school, machine)) == Topic(school, "presence", machine, "", 0)
    assert parse_topic(policy_topic(school)) == Topic(school, "policy", "", "", 0)


GOOD = report_topic("9900000001", "ab" * 16, "cd" * 8, 7)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        GOOD + "/",
        GOOD + "\n",
        GOOD.replace("/7", "/07"),
        GOOD.replace("/7", "/0"),
        GOOD.replace("/7", "/-7"),
        GOOD.replace("9900000001", "990000001"),
        GOOD.replace("9900000001", "９９００００００００"),
        GOOD.replace("abab", "ABAB"),
        GOOD.replace("v1", "v2"),
        GOOD.replace("report", "rapport"),
    ],
)
def test_other_topics_are_refused(topic: str) -> None:
    with pytest.raises(TopicError):
        parse_topic(topic)


@given(st.text(max_size=120))
def test_any_text_is_a_topic_or_refused(topic: str) -> None:
    with pytest.raises(TopicError):
        parse_topic(topic)


@given(st.integers(0, 4 * 10**12), BOOTS, NUMBERS)
def test_a_point_keeps_its_millisecond(sealed: int, boot: str, number: int) -> None:
    time = point_time(sealed, boot, number)
    assert time // 1_000_000 == sealed
    assert time == point_time(sealed, boot, number)


def test_ids_are_part_of_the_wire_and_never_change() -> None:
    assert point_time(1_767_225_600_000, "0123456789abcdef", 2) == 1_767_225_600_000_298_999
    assert device_id("ab" * 16, "projector", "HDMI-1") == "4be8c10132e34320"

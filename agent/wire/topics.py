"""The MQTT topics: which machine a message is from or for, and which report it is.

schoolpulse/v1/<school>/<machine>/report/<boot>/<number>
schoolpulse/v1/<school>/<machine>/receipt
schoolpulse/v1/<school>/<machine>/presence
schoolpulse/v1/<school>/policy
"""

from __future__ import annotations

import re

from msgspec import Struct

PREFIX = "schoolpulse/v1"
#: The measurement server reports as a school of this name.
LINESERVER = "lineserver"

ALL_REPORTS = f"{PREFIX}/+/+/report/#"
ALL_PRESENCE = f"{PREFIX}/+/+/presence"

_SCHOOL = rf"(?P<school>[0-9]{{10}}|{LINESERVER})"
_MACHINE = r"(?P<machine>[0-9a-f]{32})"
_TOPIC = re.compile(
    rf"{PREFIX}/{_SCHOOL}/(?:policy|{_MACHINE}/"
    r"(?:receipt|presence|report/(?P<boot>[0-9a-f]{16})/(?P<number>[1-9][0-9]{0,15})))",
    re.ASCII,
)


class TopicError(ValueError):
    """Not one of our topics."""


class Topic(Struct, frozen=True, gc=False):
    """The parts of a topic; a part that its channel lacks is empty or 0."""

    school: str
    channel: str
    machine: str = ""
    boot: str = ""
    number: int = 0


def parse_topic(topic: str) -> Topic:
    """Split a topic into its parts.

    Raises:
        TopicError: it has none of the four forms above.
    """
    match = _TOPIC.fullmatch(topic)
    if match is None:
        raise TopicError(f"not a topic of the wire: {topic[:120]!r}")
    school, machine, boot, number = match.groups()
    channel = "report" if boot else topic[topic.rindex("/") + 1 :]
    return Topic(school, channel, machine or "", boot or "", int(number or 0))


def report_topic(school: str, machine: str, boot: str, number: int) -> str:
    """The topic of report `number` of `boot`."""
    return f"{PREFIX}/{school}/{machine}/report/{boot}/{number}"


def receipt_topic(school: str, machine: str) -> str:
    """The topic of a machine's receipts."""
    return f"{PREFIX}/{school}/{machine}/receipt"


def presence_topic(school: str, machine: str) -> str:
    """The topic of a machine's presence; retained, also its last will."""
    return f"{PREFIX}/{school}/{machine}/presence"


def policy_topic(school: str) -> str:
    """The topic of a school's policy; retained."""
    return f"{PREFIX}/{school}/policy"

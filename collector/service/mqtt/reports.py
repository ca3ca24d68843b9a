"""Reports as they came: whole packets one after another, acknowledged at once, read later.

The broker's thread wakes for a few packets at a time, and what Python runs after each wake-up
costs four times what it does in a long loop. So that thread only looks where each report ends, and
the sorter, which has hundreds at a time, reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import overload

from agent.wire.topics import report_topic
from collector.service.mqtt.packets import PUBACK, Publish

#: A PUBLISH's first byte, two bytes of remaining length, the length of its topic.
_HEAD = Struct(">BBBH")
_AT_LEAST_ONCE = 0x32  # sent for the first time, and not retained
#: Where the topic of a school's PC says that it is of a report.
_MARK = b"/report/"
_MARK_AT = report_topic("0" * 10, "0" * 32, "", 0).encode().index(_MARK)
#: How the topics of a hello and of a presence end: others look at those.
_OTHERS = (b"/1", b"ce")


class Reports(Sequence[Publish]):
    """PUBLISH packets of QoS 1, of reports that are no hello; read each time they are asked for.

    They are acknowledged by `acks`, all together. They are of one read, 64 kB at most.
    """

    __slots__ = ("_count", "_properties", "acks", "packets")

    def __init__(self, packets: bytes, count: int, properties: bool, acks: bytes) -> None:
        self.packets, self.acks = packets, acks
        self._count, self._properties = count, properties

    def __len__(self) -> int:
        return self._count

    def pairs(self) -> Iterator[tuple[str, bytes]]:
        """The topic and the payload of each."""
        packets, at = self.packets, 0
        skipped = 3 if self._properties else 2  # the packet's id, and that there are none
        for _ in range(self._count):
            _, low, high, name = _HEAD.unpack_from(packets, at)
            named, end = at + 5 + name, at + 3 + (low & 127 | high << 7)
            yield str(packets[at + 5 : named], "utf-8", "replace"), packets[named + skipped : end]
            at = end

    def __iter__(self) -> Iterator[Publish]:
        for topic, payload in self.pairs():
            yield Publish(topic, payload, False, b"", 0)

    @overload
    def __getitem__(self, at: int) -> Publish: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Publish]: ...
    def __getitem__(self, at: int | slice) -> Publish | Sequence[Publish]:
        return list(self)[at]


def acks_of(messages: Sequence[Publish]) -> bytes:
    """What acknowledges them, in their order."""
    if isinstance(messages, Reports):
        return messages.acks
    return b"".join([one.ack for one in messages])


def reports_at(buffer: bytes, at: int, properties: bool) -> Reports | None:
    """The reports that begin at `at`, up to the first packet that is anything else.

    None without any. `properties`: as of `publish_at`. Short ones, long ones, those sent again and
    those with properties are left to it. Only what we subscribed to can come, so the topic is not
    looked at before its mark.
    """
    begun, end, mids = at, len(buffer), []
    while at + _HEAD.size <= end:
        first, low, high, name = _HEAD.unpack_from(buffer, at)
        named, after = at + 5 + name, at + 3 + (low & 127 | high << 7)
        if first != _AT_LEAST_ONCE or low < 128 or high > 127 or after > end:
            break
        if name < _MARK_AT + len(_MARK) or not buffer.startswith(_MARK, at + 5 + _MARK_AT):
            break
        if named + 2 + properties > after or (properties and buffer[named + 2]):
            break
        if buffer[named - 2 : named] in _OTHERS:
            break
        mids.append(buffer[named : named + 2])
        at = after
    if not mids:
        return None
    return Reports(buffer[begun:at], len(mids), properties, PUBACK + PUBACK.join(mids))

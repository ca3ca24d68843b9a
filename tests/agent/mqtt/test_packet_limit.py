"""How large a packet a broker takes, as far as a link can know."""

from __future__ import annotations

import pytest

from agent.mqtt import packet_limit
from agent.mqtt.packet_limit import TOO_LARGE, PacketLimit


def test_a_limit_that_the_broker_names_is_followed() -> None:
    limit = PacketLimit()
    assert limit.allows(10**9)
    limit.connected(1000)
    assert (limit.allows(1000), limit.allows(1001)) == (True, False)
    limit.connected(None)  # a reconnection that does not say it changes nothing
    assert not limit.allows(1001)


def test_the_reason_packet_too_large_names_the_largest_at_once() -> None:
    limit = PacketLimit()
    assert limit.closed(f"the broker closed the connection: {TOO_LARGE}", [300, 70_000])
    assert (limit.allows(69_999), limit.allows(70_000)) == (True, False)


def test_three_closings_with_the_same_report_and_no_receipt_name_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(packet_limit.time, "monotonic", lambda: now[0])
    limit = PacketLimit()
    assert not limit.closed("closed", [70_000])
    limit.receipted()
    assert not any(limit.closed("closed", [70_000, 200]) for _ in range(2))
    assert limit.closed("closed", [70_000])
    assert not limit.allows(70_000)
    now[0] += 3601  # the broker may have been changed
    assert limit.allows(70_000)


def test_small_reports_are_never_the_cause() -> None:
    limit = PacketLimit()
    assert not any(limit.closed("closed", [2000]) for _ in range(50))
    assert limit.allows(10**6)

"""A report too large for the broker does not stop those behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.common.settings import Broker
from agent.mqtt.packet_limit import TOO_LARGE
from agent.wire import Device
from linked_agent import READING

#: Some 60 kB.
LARGE = tuple(Device(kind="camera", connector=f"usb-{n}", name="x" * 200) for n in range(240))


@pytest.fixture
def limited(services: Any, tmp_path: Path) -> Any:
    folder = tmp_path / "broker"
    folder.mkdir()

    def start(more: str) -> Any:
        return services.broker("mosquitto", folder, more)

    return start


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("setting", ["max_packet_size 20000\n", "message_size_limit 20000\n"])
def test_what_is_behind_a_report_too_large_for_the_broker_arrives(
    limited: Any, collector: Any, agent: Any, until: Any, protocol: str, setting: str
) -> None:
    with limited(setting) as broker:
        city = collector(broker.port)
        one = agent(Broker(port=broker.port, protocol=protocol))
        for readings in (READING, LARGE, READING, READING):
            one.outbox.put(readings)
        one.link.start()
        small = {one.key(number) for number in (2, 4, 5)}
        until(lambda: small <= set(city.heard))
        assert one.key(3) not in city.heard
        until(lambda: one.outbox.counts().rows == 1)
        if protocol == "5":
            until(lambda: TOO_LARGE in one.link.error or one.outbox.counts().held == 1)

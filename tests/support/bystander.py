"""Two schools on one broker: A's credential is an attacker's, B wants to report as ever."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable

import pytest

import services
from agent.wire.topics import ALL_PRESENCE, ALL_REPORTS
from attacker import PUBLISH, SUBACK, Attacker, publish_packet, subscribe_packet, topic
from city_broker import CityBroker
from collector.service.links import Links
from collector.service.mqtt.callbacks import each
from collector.service.pipeline.counts import Counts
from collector.service.retained import Retained

A, B = "9901020001", "9901030001"


class Unharmed:
    """B's log-ins and reports, one after another, while the block runs; each must be taken."""

    def __init__(self, broker: CityBroker) -> None:
        self._broker, self._stop = broker, threading.Event()
        self.rounds = 0
        self.most_s = 0.0
        self.failed: list[str] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Unharmed:
        self._thread.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        enough = self.rounds + 3  # some after the attack too
        deadline = time.monotonic() + services.PATIENCE_S
        while self.rounds < enough and not self.failed and time.monotonic() < deadline:
            self._stop.wait(0.05)
        self._stop.set()
        self._thread.join()
        if kind is None:
            assert not self.failed
            assert self.rounds >= enough

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            begun = time.monotonic()
            try:
                self._round()
            except (OSError, AssertionError) as error:
                self.failed.append(repr(error))
                return
            self.most_s = max(self.most_s, time.monotonic() - begun)
            self.rounds += 1

    def _round(self) -> None:
        with Attacker(self._broker.settings(B)) as school:
            school.raw.settimeout(services.PATIENCE_S)
            assert school.log_in(secrets.token_hex(24)) == 0, "B is not let in"
            answer = school.publish(topic(B, 1, "report", 2), b"{}")
            assert answer in (0, 16), f"B's report is answered by {answer}"


class Listening:
    """The collector's connections, and what they clear; a context manager."""

    def __init__(self, broker: CityBroker) -> None:
        """Of the broker's account `collector`; not connected yet."""
        self.counts, self.heard = Counts(), 0
        self.links = Links(
            broker.settings("collector"), each(self._hear), each(self._hear), lambda: None
        )
        self.retained = Retained(self.links.outgoing.publish, self.counts)

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        if not topic.startswith("$SYS/"):
            self.heard += self.retained.admits(topic, payload, retained)

    def __enter__(self) -> Listening:
        self.links.start()
        assert self.links.wait_up(services.PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        for link in (self.links.reports, self.links.outgoing):
            link.stop()


def kept(broker: CityBroker) -> list[str]:
    """The topics that the broker retains."""
    found = []
    with Attacker(broker.settings("collector")) as reader:
        assert reader.log_in(secrets.token_hex(8)) == 0
        reader.send(subscribe_packet([ALL_REPORTS, ALL_PRESENCE]))
        assert reader.receive(SUBACK) is not None
        # Answered after everything that is retained was sent.
        reader.send(publish_packet(topic(B, 9, "report", 9), b"end", 1, 7))
        while (body := reader.receive(PUBLISH)) is not None:
            length = body[0] << 8 | body[1]
            if body.endswith(b"end"):
                return found
            found.append(body[2 : 2 + length].decode())
    raise AssertionError("the broker closed")


def until(met: Callable[[], object], what: str) -> None:
    """Wait for it; fail where it does not come."""
    deadline = time.monotonic() + services.PATIENCE_S
    while not met():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {services.PATIENCE_S:.0f} s: {what}")
        time.sleep(0.05)

"""The register in force: read again on every change, and published to the schools as policy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from agent import wire
from agent.common import log
from agent.wire.topics import policy_topic
from collector.config import Config
from collector.roster.register import Register
from collector.service.mqtt.link import Link
from collector.service.policies import issue, policies

POLL_S = 1.0

LoadRegister = Callable[[], Register]
#: By school: hardware values that its PCs share.
Shared = Callable[[], Mapping[str, tuple[str, ...]]]
#: A number that changes with every import, cheap to ask for.
Version = Callable[[], int]


class Releases(Protocol):
    """Adds the versions of the agent that each school is offered."""

    def offered(self, policies: Mapping[str, wire.Policy]) -> dict[str, wire.Policy]:
        """The policies with the offers."""


class Roster:
    """Watches the register, and publishes policies on every connect and every change.

    A new policy makes an agent send its held reports, so an import needs no other notification.
    """

    def __init__(
        self,
        config: Config,
        load: LoadRegister,
        version: Version | None = None,
        on_change: Callable[[], None] = lambda: None,
        shared: Shared = dict,
        releases: Releases | None = None,
    ) -> None:
        self._config, self._load, self._version = config, load, version
        self._on_change = on_change
        self._shared, self._releases = shared, releases
        self.register = Register(schools={})
        self._seen: int | None = None
        self._published: dict[str, wire.Policy] = {}
        self._republish_all = False
        self._receiving: Callable[[], bool] = lambda: True
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._failing = False
        self._thread: threading.Thread | None = None

    def known(self, school: str) -> bool:
        """Whether the register has a school of this code."""
        return school in self.register.schools

    def start(self, link: Link, receiving: Callable[[], bool] = lambda: True) -> None:
        """Read the register now, then watch it until `stop`.

        Nothing is published until the collector is `receiving`: a policy makes agents send at once.
        """
        self.refresh()
        self._receiving = receiving
        self._thread = threading.Thread(target=self._run, args=(link,), name="roster", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Stop watching; wait up to `seconds` for the thread. Idempotent."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def publish_all(self) -> None:
        """Publish every policy again: the broker may have lost them."""
        self._republish_all = True
        self._wake.set()

    def refresh(self) -> None:
        """Read the register where it changed; the one in force stays where it cannot be read."""
        try:
            version = self._version() if self._version else None
            if version is None or version != self._seen:
                register = self._load()
                self._seen = version
                self._adopt(register)
            self._failing = False
        except Exception as error:  # whatever is wrong with the file, reports must go on
            if not self._failing:
                log.warning("register_unreadable", reason=error)
            self._failing = True

    def _adopt(self, register: Register) -> None:
        if register != self.register:
            log.info("register_read", schools=len(register.schools), version=self._seen)
            self.register = register
            self._on_change()

    def _run(self, link: Link) -> None:
        while not self._stopping.is_set():
            self._wake.wait(POLL_S)
            self._wake.clear()
            try:
                self.refresh()
                self._publish(link)
            except Exception as error:
                log.warning("policies_failed", reason=error, at=log.where(error))

    def _publish(self, link: Link) -> None:
        if not link.up or not self._receiving():
            return
        if self._republish_all:
            self._republish_all = False
            self._published = {}
        wanted = policies(self.register, self._config, self._shared())
        if self._releases is not None:
            wanted = self._releases.offered(wanted)
        changed = {
            code: merged for code, merged in wanted.items() if self._published.get(code) != merged
        }
        for code, merged in changed.items():
            if not link.publish(
                policy_topic(code), issue(merged, time.time_ns() // 1_000_000), retain=True
            ):
                return  # lost the broker: the next connect publishes all
            self._published[code] = merged
        for code in self._published.keys() - wanted.keys():
            link.publish(policy_topic(code), b"", retain=True)
            del self._published[code]
        if changed:
            log.info("policies_published", schools=len(changed))

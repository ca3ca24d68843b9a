"""The register in force: read again on every change, and told to the schools as policy."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

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


class Roster:
    """Watches the register, and publishes policies on every connect and every change.

    A policy's arrival makes an agent send what was held, so an import needs no word to anyone.
    """

    def __init__(
        self,
        config: Config,
        load: LoadRegister,
        version: Version | None = None,
        on_change: Callable[[], None] = lambda: None,
        shared: Shared = dict,
    ) -> None:
        self._config, self._load, self._version = config, load, version
        self._on_change = on_change
        self._shared = shared
        self.register = Register(schools={})
        self._seen: int | None = None
        self._told: dict[str, wire.Policy] = {}
        self._all_anew = False
        self._listening: Callable[[], bool] = lambda: True
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._failing = False
        self._thread: threading.Thread | None = None

    def known(self, school: str) -> bool:
        """Whether the register has a school of this code."""
        return school in self.register.schools

    def start(self, link: Link, listening: Callable[[], bool] = lambda: True) -> None:
        """Read the register now, then watch it until `stop`.

        Nothing is published until we are `listening`: a policy makes agents send at once.
        """
        self.refresh()
        self._listening = listening
        self._thread = threading.Thread(target=self._run, args=(link,), name="roster", daemon=True)
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Watch no longer; wait up to `seconds` for the thread. Idempotent."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def tell_all(self) -> None:
        """The broker may have forgotten: publish every policy again."""
        self._all_anew = True
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
        except Exception as error:  # whatever ails the file, reports must go on
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
                self._tell(link)
            except Exception as error:
                log.warning("policies_failed", reason=error)

    def _tell(self, link: Link) -> None:
        if not link.up or not self._listening():
            return
        if self._all_anew:
            self._all_anew = False
            self._told = {}
        wanted = policies(self.register, self._config, self._shared())
        news = {code: merged for code, merged in wanted.items() if self._told.get(code) != merged}
        for code, merged in news.items():
            if not link.publish(
                policy_topic(code), issue(merged, time.time_ns() // 1_000_000), retain=True
            ):
                return  # lost the broker: the next connect tells all
            self._told[code] = merged
        for code in self._told.keys() - wanted.keys():
            link.publish(policy_topic(code), b"", retain=True)
            del self._told[code]
        if news:
            log.info("policies_published", schools=len(news))

"""The keeper's today while a school's credential is at its worst: part of `make attack`.

Again and again a projector of another school breaks, and stays so. Taken is the time from the first
report of it until `schoolpulse equipment` lists it, which is the keeper's delay; and until
`schoolpulse faults` does, which waits for the rule's two minutes of confirmation besides.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from collector import config
from collector.commands.config_file import REGISTER_FILE
from collector.inventory import devices
from collector.keeper.state import rule_for
from collector.roster.book import RegisterBook
from collector.store.factory import open_store

LOOK_S, EACH_S = 1.0, 10.0
#: What is promised of the keeper, s; what is not there after twice that is not waited for.
PROMISE_S = 120.0


class Today:
    """A thread: breaks one device after another until it is ended."""

    def __init__(self, settings: Path, breaks: Callable[[str], object]) -> None:
        """`breaks`: report from now on a fault of a device at this connector."""
        self._config, _ = config.load(str(settings))
        self._register = RegisterBook(self._config.folder / REGISTER_FILE).load()
        self._rule = rule_for(self._config.report_s)
        self._breaks = breaks
        self._ending = threading.Event()
        self._made: dict[str, float] = {}  # connector -> when, by time.monotonic
        #: Connector -> s until it was listed, and until it was among the faults.
        self.listed: dict[str, float] = {}
        self.faulty: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> bool:
        """Break nothing more, wait until each is listed, and tell; whether all were in time."""
        self._ending.set()
        self._thread.join()
        missing = len(self._made) - len(self.listed)
        _tell(f"of {len(self._made)} changes of others, equipment lists", self.listed, missing)
        due = time.monotonic() - self._rule.confirm / 1000 - PROMISE_S
        late = sum(at < due and name not in self.faulty for name, at in self._made.items())
        _tell("faults, two minutes of them for confirmation, lists", self.faulty, late)
        return not missing and not late and max(self.listed.values(), default=0.0) <= PROMISE_S

    def _run(self) -> None:
        with open_store(self._config) as self._store:
            while not self._ending.wait(LOOK_S):
                if not self._made or time.monotonic() - max(self._made.values()) >= EACH_S:
                    name = f"broken-{len(self._made) + 1}"
                    self._made[name] = time.monotonic()
                    self._breaks(name)
                self._look()
            longest = time.monotonic() + 2 * PROMISE_S
            while len(self.listed) < len(self._made) and time.monotonic() < longest:
                threading.Event().wait(LOOK_S)
                self._look()

    def _look(self) -> None:
        """As the commands ask."""
        now_ms = time.time_ns() // 10**6
        found = devices.load(self._store, self._register, now_ms, "", self._rule).devices
        now = time.monotonic()
        for into, rows in ((self.listed, found), (self.faulty, devices.faults(found))):
            for one in rows:
                if one.connector in self._made:
                    into.setdefault(one.connector, now - self._made[one.connector])


def _tell(what: str, found: dict[str, float], missing: int) -> None:
    took = sorted(found.values()) or [float("nan")]
    middle, last = took[len(took) // 2], took[-1]
    print(f"{what} {len(found)} after {middle:.0f} s, the latest after {last:.0f} s; "
          f"{missing} not in time")  # fmt: skip

"""What is broken or gone in every school: gone through school by school while somebody looks.

The same as `schoolpulse faults`, which reads thirty days of every device: too much for one click in
a city of 20,000 PCs, and little when it is read a school at a time with rests between.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from agent.common import log
from collector.inventory import devices
from collector.inventory.devices import Device
from collector.keeper.state import Rule
from collector.roster.register import Register
from collector.store import Store, StoreError

#: A pass begins so long after the last one, s, and only if somebody looked within `_LOOKED_S`.
_EVERY_S, _LOOKED_S = 300.0, 900.0
#: The same while no pass has been whole: no register was there yet, or the store was away.
_AGAIN_S = 2.0
#: Rest after each school, as a multiple of what it took.
_REST = 9.0


class Found(NamedTuple):
    """The devices of every school that has been gone through."""

    faults: Mapping[str, tuple[Device, ...]]  # by school, only of those gone through
    done: int  # schools
    of: int
    at_ms: int  # when the last whole pass ended; 0: none has

    @property
    def counting(self) -> bool:
        """Whether some schools have not been gone through, so that nothing found means nothing."""
        return self.done < self.of or not self.at_ms

    def counts(self, school: str) -> tuple[int, int] | None:
        """Missing and faulty devices of a school; None where that is not known yet."""
        if school not in self.faults:
            return None
        found = self.faults[school]
        missing = sum(one.last_known.presence == "missing" for one in found)
        return missing, sum(one.last_known.working == "fault" for one in found)


class Stock:
    """Goes through the schools in a thread of its own."""

    def __init__(
        self,
        store: Store,
        register: Callable[[], Register],
        rule: Rule,
        filling: Callable[[], object] = lambda: False,
    ) -> None:
        """`filling`: whether the store is still being filled, so that no pass is whole."""
        self._store, self._register, self._rule = store, register, rule
        self._filling = filling
        self.rest = _REST
        self._faults: dict[str, tuple[Device, ...]] = {}
        self._at_ms, self._of = 0, 0
        self._looked = time.monotonic()
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="web-stock", daemon=True)

    def start(self) -> None:
        """Begin the first pass."""
        self._thread.start()

    def stop(self) -> None:
        """End; waits for the school that is read."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def found(self) -> Found:
        """What is known; asking keeps it being looked for."""
        self._looked = time.monotonic()
        self._wake.set()
        return Found(dict(self._faults), len(self._faults), self._of, self._at_ms)

    def _run(self) -> None:
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                self._pass()
            except StoreError as error:
                log.warning("web_stock", reason=error)
            rest = _EVERY_S if self._at_ms else _AGAIN_S
            self._stopping.wait(max(0.0, begun + rest - time.monotonic()))
            self._wake.clear()
            while not self._stopping.is_set() and time.monotonic() - self._looked > _LOOKED_S:
                self._wake.wait()
                self._wake.clear()

    def _pass(self) -> None:
        filling, register = self._filling(), self._register()
        self._of = len(register.schools)
        for code in set(self._faults) - set(register.schools):
            del self._faults[code]
        for code in sorted(register.schools):
            begun = time.monotonic()
            now_ms = time.time_ns() // 1_000_000
            stock = devices.load(self._store, register, now_ms, code, self._rule)
            self._faults[code] = tuple(devices.faults(stock.devices))
            if self._stopping.wait(self.rest * (time.monotonic() - begun)):
                return
        whole = register.schools and not filling and not self._filling()
        self._at_ms = time.time_ns() // 1_000_000 if whole else 0

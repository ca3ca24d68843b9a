"""Learns from the store which PCs report: once for a new `machines.db`, in a group for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from agent.common import log
from collector.service.pipeline.known_machines import KEPT_DAYS, KnownMachines
from collector.store.base import Store, StoreError

_DAY_NS = 86_400 * 10**9
_EVERY_S, _RETRY_S = 600.0, 5.0
_RECENT_DAYS = 2
#: How far back a collector looks that knows none; `KEPT_DAYS` of a large city are too many rows.
_FIRST_DAYS = min(60, KEPT_DAYS)


class MachineWatch:
    """A thread that reads `machine_day`; `shared`: other collectors let PCs in too."""

    def __init__(self, store: Store, machines: KnownMachines, *, shared: bool) -> None:
        self._store, self._machines, self._shared = store, machines, shared
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="machines", daemon=True)

    def start(self) -> None:
        """Read at once where that is needed."""
        if self._shared or not self._machines.learnt:
            self._thread.start()

    def stop(self, seconds: float) -> None:
        """Stop; wait up to `seconds` for a read that is under way. Idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    @property
    def alive(self) -> bool:
        """Whether it still reads the store."""
        return self._thread.is_alive()

    def _run(self) -> None:
        failing = False
        while not self._stopping.is_set():
            try:
                self._machines.learn(self._stored())
                failing = False
            except StoreError as error:
                if not failing:
                    log.warning("machines_unknown", reason=error)
                failing = True
            if self._machines.learnt and not self._shared:
                return
            self._stopping.wait(_RETRY_S if failing else _EVERY_S)

    def _stored(self) -> Iterator[tuple[str, str, int]]:
        days = _RECENT_DAYS if self._machines.learnt else _FIRST_DAYS
        now = time.time_ns()
        for point in self._store.read(
            "machine_day", now - days * _DAY_NS, now + _DAY_NS, fields=["seen"]
        ):
            if self._stopping.is_set():
                return
            yield point.tags.get("school", ""), point.tags.get("machine", ""), point.time // 10**6

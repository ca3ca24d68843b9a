"""What several readers ask for at once is made once, and kept for some seconds."""

from __future__ import annotations

import contextvars
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, NamedTuple, TypeVar

from agent.common import log

_T = TypeVar("_T")


class _Kept(NamedTuple):
    value: object
    made: float


class Cache(Generic[_T]):
    """Values by key, each made by one thread while others wait, at most `size` of them.

    One older than `seconds` is made again; until `stale` seconds the old one is handed out
    meanwhile, and made again in the background, so that only the first reader ever waits.
    """

    def __init__(
        self,
        seconds: float,
        *,
        stale: float = 0.0,
        size: int = 256,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds, self._stale, self._size, self._clock = seconds, stale, size, clock
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """The value of `key`; what `make` raises is raised, and nothing is kept."""
        with self._lock:
            kept = self._kept.get(key)
            turn = self._making.setdefault(key, threading.Lock())
        age = self._clock() - kept.made if kept else float("inf")
        if kept and age <= self._seconds:
            return kept.value  # type: ignore[return-value]
        if kept and age <= self._stale:
            self._refresh(key, make, turn)
            return kept.value  # type: ignore[return-value]
        with turn:
            return self._made(key, make)

    def _made(self, key: Hashable, make: Callable[[], _T]) -> _T:
        kept = self._kept.get(key)  # another thread may have made it while we waited
        if kept and self._clock() - kept.made <= self._seconds:
            return kept.value  # type: ignore[return-value]
        value = make()
        with self._lock:
            self._kept[key] = _Kept(value, self._clock())
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._making.pop(self._kept.popitem(last=False)[0], None)
        return value

    def _refresh(self, key: Hashable, make: Callable[[], _T], turn: threading.Lock) -> None:
        if not turn.acquire(blocking=False):
            return  # somebody already makes it
        context = contextvars.copy_context()  # with the reader's language

        def work() -> None:
            try:
                context.run(self._made, key, make)
            except Exception as error:
                log.warning("web_refresh_failed", reason=error)
                with self._lock:
                    self._kept.pop(key, None)
            finally:
                turn.release()

        threading.Thread(target=work, name="web-refresh", daemon=True).start()

"""How many requests there were and how long they took, for /metrics."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import psutil

_BOUNDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


class Counting:
    """Counts answers by code, and their seconds in a histogram."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._codes: Counter[int] = Counter()
        self._within: Counter[float] = Counter()
        self._seconds = 0.0

    def add(self, code: int, seconds: float) -> None:
        """Count an answer."""
        with self._lock:
            self._codes[code] += 1
            self._seconds += seconds
            for bound in _BOUNDS:
                self._within[bound] += seconds <= bound

    def text(self) -> str:
        """All of it in the Prometheus exposition format 0.0.4."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        with self._lock:
            codes, within, seconds = dict(self._codes), dict(self._within), self._seconds
        yield "# TYPE schoolpulse_web_requests_total counter"
        for code, count in sorted(codes.items()):
            yield f'schoolpulse_web_requests_total{{code="{code}"}} {count}'
        yield "# TYPE schoolpulse_web_seconds histogram"
        for bound in _BOUNDS:
            yield f'schoolpulse_web_seconds_bucket{{le="{bound}"}} {within.get(bound, 0)}'
        total = sum(codes.values())
        yield f'schoolpulse_web_seconds_bucket{{le="+Inf"}} {total}'
        yield f"schoolpulse_web_seconds_sum {seconds:.6f}"
        yield f"schoolpulse_web_seconds_count {total}"
        yield "# TYPE schoolpulse_web_memory_bytes gauge"
        yield f"schoolpulse_web_memory_bytes {psutil.Process().memory_info().rss}"

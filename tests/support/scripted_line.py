"""A line test whose child follows a script, with a clock by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from agent.probes.line import estimator
from agent.probes.line.probe import measure
from agent.wire import LineTest

URL = "http://127.0.0.1:1"
NEAR = {"more_s": 0.0, "far_s": 0.0}
GRANTED = {"event": "granted", "id": "1" * 32, "long": False, "local": "127.0.0.1", **NEAR}
DOWNLOAD, UPLOAD = ({"event": "phase", "name": name} for name in ("download", "upload"))


class Child:
    """Emits scripted events, each at its time; while there are none, time passes.

    Attributes:
        busy: From when to when the PC is so busy with other work that nobody hears them, s.
    """

    pid = os.getpid()

    def __init__(self, said: Sequence[tuple[float, dict[str, Any]]]) -> None:
        self.now, self.busy = 0.0, (0.0, 0.0)
        self.stopped: dict[str, float] = {}
        self._said = list(said)

    def events(self, seconds: float) -> Iterator[dict[str, Any]]:
        begin, end = self.busy
        if begin <= self.now < end:
            self.now = end
        if not self._said or self._said[0][0] > self.now + seconds:
            self.now += seconds
            return
        self.now = max(self.now, self._said[0][0])
        while self._said and self._said[0][0] <= self.now:
            yield self._said.pop(0)[1]

    def stop(self, direction: str) -> None:
        self.stopped.setdefault(direction, self.now)


def payload(t: float, mbps: float = 10.0) -> int:
    """Bytes of payload at t on a line of so many Mbit/s, whose download begins at 0.2 s."""
    return int(max(0.0, t - 0.2) * mbps / 8 * 1e6 / estimator.FRAME)


def on_wire(t: float, mbps: float = 10.0) -> int:
    return int(payload(t, mbps) * estimator.FRAME)


def a_download(
    scripted: Any,
    seconds: float,
    mbps: float = 10.0,
    far_s: float = 0.0,
    late: float = 0.0,
    **more: Any,
) -> Child:
    """A whole test whose download lasts so long, its first bytes `late` by so much; `more` is what
    else the server saw."""  # fmt: skip
    beats = [late + 0.2 + n / 10 for n in range(1, int((seconds - late) * 10))]
    end = 0.2 + seconds
    down = [(t, (t, payload(t - late, mbps))) for t in beats]
    seen = {"sent_bytes": payload(end - late, mbps), "received_bytes": 0, "solo": True, "up": [],
            "server_limited": False, "down": [list(row) for _, row in down], **more}  # fmt: skip
    said = [(t, {"event": "bytes", "t": t, "down": b, "up": 0}) for t, (_, b) in down]
    granted = {**GRANTED, "far_s": far_s, "more_s": 60 * far_s}
    return scripted((0.1, granted), (0.2, DOWNLOAD), *said, (end, UPLOAD),
                    (end + 0.5, {"event": "done", "seen": seen}))  # fmt: skip


def a_test(who: dict[str, str], **more: Any) -> LineTest:
    test = measure(URL, **who, **more)
    assert isinstance(test, LineTest)
    assert test.down_mbps is None
    return test


class Times(NamedTuple):
    """As psutil's, the two that matter."""

    user: float
    idle: float

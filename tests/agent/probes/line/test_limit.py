"""How long a test may last, and what a slow PC makes of one: a child by script, a clock by hand."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from agent.probes.line import probe as line
from agent.probes.line.probe import measure
from agent.wire import LineTest

URL = "http://127.0.0.1:1"
GRANTED = {"event": "granted", "id": "1" * 32, "long": False, "local": "127.0.0.1"}
DOWNLOAD, UPLOAD = ({"event": "phase", "name": name} for name in ("download", "upload"))


class Child:
    """Emits scripted events, each at its time; while there are none, time passes."""

    def __init__(self, said: Sequence[tuple[float, dict[str, Any]]]) -> None:
        self.now = 0.0
        self.stopped: dict[str, float] = {}
        self._said = list(said)

    def events(self, seconds: float) -> Iterator[dict[str, Any]]:
        if not self._said or self._said[0][0] > self.now + seconds:
            self.now += seconds
            return
        self.now = max(self.now, self._said[0][0])
        while self._said and self._said[0][0] <= self.now:
            yield self._said.pop(0)[1]

    def stop(self, direction: str) -> None:
        self.stopped.setdefault(direction, self.now)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the next test's child; an event without a time is said at once."""

    def make(*said: tuple[float, dict[str, Any]]) -> Child:
        child = Child(said)
        monkeypatch.setattr(line, "time", SimpleNamespace(perf_counter=lambda: child.now))
        monkeypatch.setattr(line.line_child, "started", lambda task: contextlib.nullcontext(child))
        return child

    return make


def a_test(who: dict[str, str], **more: Any) -> LineTest:
    test = measure(URL, **who, **more)
    assert isinstance(test, LineTest)
    assert test.down_mbps is None
    return test


@pytest.mark.parametrize("seconds", [2.0, 6.0, 15.0])
def test_a_child_that_says_nothing_is_waited_for_no_longer_than_allowed(scripted, who, seconds):
    child = scripted()
    test = a_test(who, max_seconds=seconds)
    assert (test.outcome, test.reason) == ("unreachable", "no_answer")
    assert seconds <= child.now <= seconds + 0.2


@pytest.mark.parametrize(("long", "limit"), [(False, 6.0), (True, 12.0)])
def test_a_load_that_never_ends_is_ended(scripted, who, long, limit):
    """Where the server grants a long test, after twice the time."""
    child = scripted((0.1, {**GRANTED, "long": long}), (0.2, DOWNLOAD))
    test = a_test(who, max_seconds=6.0)
    assert (test.outcome, test.seconds) == ("too_slow", pytest.approx(limit, abs=0.2))
    assert child.stopped == {"download": pytest.approx(0.48 * limit, abs=0.2)}


def test_an_upload_that_never_ends_is_ended(scripted, who):
    child = scripted((0.1, GRANTED), (0.2, DOWNLOAD), (0.5, UPLOAD))
    assert a_test(who, max_seconds=6.0).seconds == pytest.approx(6.0, abs=0.2)
    assert child.stopped == {"upload": pytest.approx(4.5, abs=0.2)}


def test_one_that_talks_without_end_is_ended_too(scripted, who):
    beat = {"event": "bytes", "t": 0.0, "down": 1, "up": 0}
    scripted((0.1, GRANTED), (0.2, DOWNLOAD), *((0.3 + n / 10, beat) for n in range(999)))
    assert a_test(who, max_seconds=6.0).seconds == pytest.approx(6.0, abs=0.2)


def test_a_rate_that_is_known_ends_the_download(scripted, who, monkeypatch):
    """10 Mbit/s, steady: three seconds of it are enough."""

    def payload(t: float) -> int:
        return int((t - 0.2) * 1.25e6)

    times = [0.2 + n / 10 for n in range(1, 60)]
    beats = [(t, {"event": "bytes", "t": t, "down": payload(t), "up": 0}) for t in times]
    child = scripted((0.1, GRANTED), (0.2, DOWNLOAD), *beats)
    monkeypatch.setattr(line.nics, "received", lambda _: int(payload(child.now) * 1514 / 1448))
    a_test(who, max_seconds=15.0)
    assert child.stopped == {"download": pytest.approx(3.2, abs=0.2)}


def test_a_cache_is_noticed_by_a_pc_too_slow_to_tell_a_rate(scripted, who):
    """All is heard at once, so that the interface was never read in between."""
    seen = {"sent_bytes": 1_000_000, "received_bytes": 0, "down": [], "up": [], "solo": True,
            "server_limited": False}  # fmt: skip
    beat = {"event": "bytes", "t": 0.5, "down": 1_000_001, "up": 0}
    done = {"event": "done", "seen": seen}
    scripted(*((0.0, said) for said in (GRANTED, DOWNLOAD, beat, done)))
    test = a_test(who)
    assert test.outcome == "garbled"
    assert test.reason == "cached"
    scripted(*((0.0, said) for said in (GRANTED, DOWNLOAD, {**beat, "down": 1_000_000}, done)))
    assert a_test(who).outcome == "no_counter", "all that came was sent"

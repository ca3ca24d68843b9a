"""How long a test may last, and what a slow PC makes of one: a child by script, a clock by hand."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from agent.probes.line import download, estimator
from agent.probes.line import probe as line
from agent.probes.line.probe import measure
from agent.wire import LineTest

URL = "http://127.0.0.1:1"
NEAR = {"more_s": 0.0, "far_s": 0.0}
GRANTED = {"event": "granted", "id": "1" * 32, "long": False, "local": "127.0.0.1", **NEAR}
DOWNLOAD, UPLOAD = ({"event": "phase", "name": name} for name in ("download", "upload"))


class Child:
    """Emits scripted events, each at its time; while there are none, time passes."""

    pid = os.getpid()

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
        for module in (line, download):
            monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: child.now))
        monkeypatch.setattr(line.line_child, "started", lambda task: contextlib.nullcontext(child))
        return child

    return make


def payload(t: float, mbps: float = 10.0) -> int:
    """Bytes of payload at t on a line of so many Mbit/s, whose download begins at 0.2 s."""
    return int(max(0.0, t - 0.2) * mbps / 8 * 1e6 / estimator.FRAME)


def on_wire(t: float, mbps: float = 10.0) -> int:
    return int(payload(t, mbps) * estimator.FRAME)


def a_download(
    scripted: Any, seconds: float, mbps: float = 10.0, far_s: float = 0.0, **more: Any
) -> Child:
    """A whole test whose download lasts so long; `more` is what else the server saw."""
    beats = [0.2 + n / 10 for n in range(1, int(seconds * 10))]
    end = 0.2 + seconds
    down = [(t, (t, payload(t, mbps))) for t in beats]
    seen = {"sent_bytes": payload(end, mbps), "received_bytes": 0, "solo": True, "up": [],
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


@pytest.mark.parametrize("seconds", [2.0, 6.0, 15.0])
def test_a_child_that_says_nothing_is_waited_for_no_longer_than_allowed(scripted, who, seconds):
    child = scripted()
    test = a_test(who, max_seconds=seconds)
    assert (test.outcome, test.reason) == ("unreachable", "no_answer")
    assert seconds <= child.now <= seconds + 0.2


@pytest.mark.parametrize(("long", "limit"), [(False, 6.0), (True, 12.0)])
def test_a_load_that_never_ends_is_ended(scripted, who, monkeypatch, long, limit):
    """Where the server grants a long test, after twice the time."""
    monkeypatch.setattr(line.nics, "received", lambda _: 7_000)
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
    beats = [(t, payload(t)) for t in (0.2 + n / 10 for n in range(1, 60))]
    said = [(t, {"event": "bytes", "t": t, "down": count, "up": 0}) for t, count in beats]
    child = scripted((0.1, GRANTED), (0.2, DOWNLOAD), *said)
    monkeypatch.setattr(line.nics, "received", lambda _: on_wire(child.now))
    a_test(who, max_seconds=15.0)
    assert child.stopped == {"download": pytest.approx(3.2, abs=0.2)}


@pytest.mark.parametrize("after", [2**32, 7_000_000])
def test_a_counter_that_steps_back_ends_the_usable_part(scripted, who, monkeypatch, after):
    """It wraps at 2^32, or starts anew; three seconds before it are enough for a rate."""
    child = a_download(scripted, 6.0)
    base = 2**32 - on_wire(3.2)

    def received(_: str) -> int:
        count = base + on_wire(child.now)
        return count if count < 2**32 else count - after

    monkeypatch.setattr(line.nics, "received", received)
    test = measure(URL, **who)
    assert (test.outcome, test.down_mbps) == ("ok", pytest.approx(10.0, rel=0.01))
    assert child.stopped["download"] < 3.5, "nothing more is learned"


@pytest.mark.parametrize(("seconds", "reason"), [(4.4, "ramp_unfinished"), (15.0, "")])
def test_a_far_line_that_uses_up_its_bytes_during_the_ramp_gives_no_rate(
    scripted, who, monkeypatch, seconds, reason
):
    """600 ms of round trip: a rate of the first seconds is the ramp's, not the line's."""
    child = a_download(scripted, seconds, far_s=0.6)
    monkeypatch.setattr(line.nics, "received", lambda _: on_wire(child.now))
    test = measure(URL, **who)
    assert ("ramp_unfinished" in test.reason) is bool(reason)
    assert (test.down_mbps is None) is bool(reason)


def test_bursts_once_a_round_trip_are_an_unfilled_line_and_no_slow_counter(
    scripted, who, monkeypatch
):
    child = a_download(scripted, 15.0, far_s=0.6)
    monkeypatch.setattr(line.nics, "received", lambda _: 40_000 * int(child.now / 0.6) ** 2)
    test = a_test(who)
    assert (test.outcome, test.reason) == ("too_slow", "unfilled")


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.3])
def test_a_counter_that_steps_back_early_gives_no_rate(scripted, who, monkeypatch, seconds):
    child = a_download(scripted, 6.0)
    base = 2**32 - on_wire(0.21 + seconds)
    monkeypatch.setattr(line.nics, "received", lambda _: (base + on_wire(child.now)) % 2**32)
    test = a_test(who)
    assert (test.outcome, test.reason) == ("no_counter", "counter_restarted")


@pytest.mark.parametrize("period", [0.5, 1.0, 1.7, 2.0])
@pytest.mark.parametrize("phase", [0.1, 0.37, 0.9])
def test_a_counter_that_is_refreshed_rarely_reads_right(scripted, who, monkeypatch, period, phase):
    child = a_download(scripted, 14.0)

    def received(_: str) -> int:
        last = (child.now - phase * period) // period * period + phase * period
        return 7_000 + on_wire(last)

    monkeypatch.setattr(line.nics, "received", received)
    test = measure(URL, **who, max_seconds=16.0)
    assert (test.outcome, test.down_mbps) == ("ok", pytest.approx(10.0, rel=0.01))


def test_a_counter_that_is_refreshed_too_rarely_gives_no_rate(scripted, who, monkeypatch):
    child = a_download(scripted, 7.0)
    monkeypatch.setattr(line.nics, "received", lambda _: on_wire(child.now // 4 * 4))
    test = a_test(who)
    assert (test.outcome, test.reason) == ("no_counter", "counter_slow")


@pytest.mark.parametrize("counted", [None, 7_000])
def test_a_counter_that_never_moves_stands_still(scripted, who, monkeypatch, counted):
    a_download(scripted, 3.0)
    monkeypatch.setattr(line.nics, "received", lambda _: counted)
    test = a_test(who)
    assert (test.outcome, test.reason) == ("no_counter", "counter_still")


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("far_s", [0.0, 0.6])
def test_a_pc_that_looked_only_after_all_had_come_does_not_blame_the_counter(
    scripted, who, monkeypatch, seconds, far_s
):
    """Busy with other work, it hears of it all at once; of a far line no more is said."""
    seen = {"sent_bytes": 1_000_000, "received_bytes": 0, "down": [], "up": [], "solo": True,
            "server_limited": False}  # fmt: skip
    beat = {"event": "bytes", "t": 0.5, "down": 1_000_000, "up": 0}
    granted = {**GRANTED, "far_s": far_s}
    scripted((0.1, granted), (0.2, DOWNLOAD), (0.2, beat), (0.2 + seconds, UPLOAD),
             (0.2 + seconds, {"event": "done", "seen": seen}))  # fmt: skip
    monkeypatch.setattr(line.nics, "received", lambda _: 1_100_000)
    test = a_test(who)
    assert (test.outcome, test.reason) == ("too_slow", "too_few_readings")


@pytest.mark.parametrize(
    ("busy", "share", "limited"),
    [(2.0, 1.0, True), (1.0, 0.5, False), (2.0, 0.2, False), (2.0, 0.4, True)],
)
def test_a_busy_pc_says_so(scripted, who, monkeypatch, busy, share, limited):
    """Two cores; other work fills `busy` of them for a share of the time."""
    child = a_download(scripted, 6.0)
    monkeypatch.setattr(line.nics, "received", lambda _: on_wire(child.now))
    until = 0.2 + 3.0 * share  # the download ends after three seconds

    def times() -> Any:
        used = busy * min(child.now, until)
        return Times(used, 2 * child.now - used)

    monkeypatch.setattr(download.psutil, "cpu_times", times)
    test = measure(URL, **who)
    assert test.down_mbps == pytest.approx(10.0, rel=0.01)
    assert test.pc_limited is limited
    assert ("pc_limited" in test.reason) is limited
    assert test.pc_busy == pytest.approx(busy / 2 * share, abs=0.1)


@pytest.mark.parametrize(("share", "limited"), [(0.24, False), (0.25, True), (None, False)])
def test_a_pc_whose_receive_windows_the_server_waits_for_says_so(
    scripted, who, monkeypatch, share, limited
):
    child = a_download(scripted, 6.0, window_share=share)
    monkeypatch.setattr(line.nics, "received", lambda _: on_wire(child.now))
    monkeypatch.setattr(download.psutil, "cpu_times", lambda: Times(0.0, 2 * child.now))
    test = measure(URL, **who)
    assert test.pc_limited is limited
    assert ("pc_limited" in test.reason) is limited


class Times(NamedTuple):
    """As psutil's, the two that matter."""

    user: float
    idle: float


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
    assert a_test(who).reason == "too_few_readings", "all that came was sent"

"""What a busy PC makes of a test: a child by script, a clock by hand."""

from __future__ import annotations

from typing import Any

import pytest

from agent.probes.line import download
from agent.probes.line import probe as line
from agent.probes.line.probe import measure
from scripted_line import (
    DOWNLOAD,
    GRANTED,
    UPLOAD,
    URL,
    Times,
    a_download,
    a_test,
    on_wire,
    payload,
)


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


@pytest.mark.parametrize(
    ("far_s", "seconds", "late", "busy"),
    [
        (0.6, 15.0, 1.2, (0.75, 15.3)),  # looked half a second before anything came
        (0.0, 1.0, 0.0, (0.2, 0.9)),  # just at the end
        (0.0, 10.0, 0.7, (0.7, 10.0)),  # at both ends
        (0.6, 20.0, 0.0, (0.5, 19.9)),
        (0.6, 40.0, 0.0, (2.0, 60.0)),  # two seconds of forty
    ],
)
def test_where_nobody_looked_neither_the_line_nor_its_counter_is_blamed(
    scripted, who, monkeypatch, far_s, seconds, late, busy
):
    """It is not said that the counter stands still, or is slow, or that the line was not filled."""
    child = a_download(scripted, seconds, far_s=far_s, late=late)
    child.busy = busy
    monkeypatch.setattr(line.nics, "received", lambda _: on_wire(min(child.now, seconds) - late))
    test = a_test(who)
    assert (test.outcome, test.reason) == ("too_slow", "too_few_readings")


@pytest.mark.parametrize("until", [5.0, 6.25])
@pytest.mark.parametrize("cores", [0, 2])
def test_a_pc_too_busy_to_look_denies_nothing(scripted, who, monkeypatch, until, cores):
    """It saw the first 0.8 s, a ramp at 2 Mbit/s; then it was busy: all its cores, or its disk."""
    child = a_download(scripted, 6.0)
    child.busy = 1.0, until
    ramp = on_wire(1.0, 2.0)

    def received(_: str) -> int:
        return on_wire(child.now, 2.0) if child.now <= 1 else ramp + on_wire(child.now - 0.8)

    def times() -> Any:
        used = cores * max(0.0, min(child.now, until) - 1.0)
        return Times(used, 2 * child.now - used)

    monkeypatch.setattr(line.nics, "received", received)
    monkeypatch.setattr(download.psutil, "cpu_times", times)
    test = measure(URL, **who)
    assert (test.outcome, test.pc_limited) == ("ok", True)
    assert "pc_limited" in test.reason


def test_where_all_came_before_the_pc_heard_of_the_download_nothing_is_blamed(
    scripted, who, monkeypatch
):
    """The download goes on for a second, for a last segment that is lost."""
    sent = payload(1.2)
    said = [(1.5, {"event": "bytes", "t": t, "down": payload(min(t, 1.2)), "up": 0})
            for t in (0.3, 0.7, 1.2, 1.4)]  # fmt: skip
    late = [(t, {"event": "bytes", "t": t, "down": sent, "up": 0}) for t in (1.7, 2.0, 2.4)]
    seen = {"sent_bytes": sent, "received_bytes": 0, "down": [], "up": [], "solo": True,
            "server_limited": False}  # fmt: skip
    child = scripted((0.1, GRANTED), (1.5, DOWNLOAD), *said, *late, (2.5, UPLOAD),
                     (2.6, {"event": "done", "seen": seen}))  # fmt: skip
    monkeypatch.setattr(line.nics, "received", lambda _: on_wire(min(child.now, 1.2)))
    test = a_test(who)
    assert (test.outcome, test.reason) == ("too_slow", "too_few_readings")


@pytest.mark.parametrize("busy", [0.0, 2.7])
def test_a_pc_that_looked_most_of_the_time_names_a_counter_that_stands_still(
    scripted, who, monkeypatch, busy
):
    child = a_download(scripted, 6.0)
    child.busy = 1.0, 1.0 + busy
    monkeypatch.setattr(line.nics, "received", lambda _: 7_000)
    test = a_test(who)
    assert (test.outcome, test.reason) == ("no_counter", "counter_still")

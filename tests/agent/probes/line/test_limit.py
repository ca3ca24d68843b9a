"""How long a test may last: a child by script, a clock by hand."""

from __future__ import annotations

import pytest

from agent.probes.line import probe as line
from agent.probes.line.probe import measure
from scripted_line import (
    DOWNLOAD,
    GRANTED,
    UPLOAD,
    URL,
    a_download,
    a_test,
    on_wire,
    payload,
)


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

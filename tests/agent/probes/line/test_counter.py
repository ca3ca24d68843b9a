"""What odd counters make of a test: a child by script, a clock by hand."""

from __future__ import annotations

import pytest

from agent.probes.line import probe as line
from agent.probes.line.probe import measure
from scripted_line import (
    URL,
    a_download,
    a_test,
    on_wire,
)


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


@pytest.mark.parametrize(
    ("seconds", "outcome"), [(0.3, "no_counter"), (1.0, "no_counter"), (2.8, "ok")]
)
def test_a_counter_that_is_gone_gives_a_rate_of_two_seconds_only(
    scripted, who, monkeypatch, seconds, outcome
):
    """The first second of a download is its ramp."""
    child = a_download(scripted, 6.0)

    def received(_: str) -> int | None:
        return on_wire(child.now) if child.now < 0.2 + seconds else None

    monkeypatch.setattr(line.nics, "received", received)
    test = measure(URL, **who)
    assert test.outcome == outcome
    assert outcome == "ok" or test.reason == "counter_still"


def test_a_counter_that_cannot_be_read_now_and_then_reads_right(scripted, who, monkeypatch):
    child = a_download(scripted, 6.0)

    def received(_: str) -> int | None:
        return None if int(child.now * 10) % 3 == 0 else on_wire(child.now)

    monkeypatch.setattr(line.nics, "received", received)
    test = measure(URL, **who)
    assert (test.outcome, test.down_mbps) == ("ok", pytest.approx(10.0, rel=0.01))


@pytest.mark.parametrize("seconds", [2.5, 4.0, 6.0])
@pytest.mark.parametrize("gone", [True, False])
def test_of_a_far_line_the_ramp_is_no_rate_though_its_counter_ends(
    scripted, who, monkeypatch, seconds, gone
):
    """Eight seconds at a fifth of it; the counter vanishes, or steps back, before."""
    child = a_download(scripted, 30.0, far_s=0.6)

    def received(_: str) -> int | None:
        if child.now > 0.2 + seconds:
            return None if gone else on_wire(child.now - seconds)
        return 1_000_000 + on_wire(child.now, 2.0)

    monkeypatch.setattr(line.nics, "received", received)
    assert a_test(who).outcome == "no_counter"


def test_a_last_reading_that_fails_costs_nothing(scripted, who, monkeypatch):
    """A fast line, through within a second."""
    child = a_download(scripted, 1.0, 400.0)

    def received(_: str) -> int | None:
        return None if child.now > 1.15 else on_wire(child.now, 400.0)

    monkeypatch.setattr(line.nics, "received", received)
    test = measure(URL, **who)
    assert (test.outcome, test.down_mbps) == ("ok", pytest.approx(400.0, rel=0.01))

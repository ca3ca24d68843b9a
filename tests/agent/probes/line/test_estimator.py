"""The estimator: rates known beforehand must come out of their counters."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.common.steady import MIN_STEPS, Sample, confirmed, median, overall, steady
from agent.probes.line import estimator

#: 10 Mbit/s in bytes a second.
TEN = 1_250_000


def counter(
    rates: list[float], step: float = 0.1, start: float = 100.0, base: int = 7_000
) -> list[Sample]:
    """A counter's readings from the rate of each step, in bytes a second."""
    samples, count = [(start, base)], float(base)
    for i, rate in enumerate(rates, 1):
        count += rate * step
        samples.append((start + i * step, round(count)))
    return samples


def test_a_steady_line():
    found = steady(counter([TEN] * 40))
    assert found.mbps == pytest.approx(10.0)
    assert found.low == pytest.approx(10.0)
    assert found.high == pytest.approx(10.0)
    assert found.slope == pytest.approx(10.0)
    assert found.mean == pytest.approx(10.0)


def test_the_ramp_is_left_out():
    ramp = [TEN * share for share in (0.0, 0.1, 0.2, 0.4, 0.6, 0.8)]
    assert steady(counter(ramp + [TEN] * 30)).mean == pytest.approx(10.0)


def test_stalls_and_bursts_leave_the_median():
    rates = [TEN] * 40
    rates[15] = rates[16] = 0.0
    rates[17] = 3 * TEN
    rates[30] = 2 * TEN
    assert steady(counter(rates)).mbps == pytest.approx(10.0)


def test_readings_after_the_last_byte_are_left_out():
    assert steady(counter([TEN] * 30 + [0.0] * 20)).mean == pytest.approx(10.0)


def test_counters_that_step_once_a_second():
    smooth = counter([TEN] * 100)
    stepped = [(t, smooth[i // 10 * 10][1]) for i, (t, _) in enumerate(smooth)]
    found = steady(stepped)
    assert found.mbps == pytest.approx(10.0, rel=0.02)


def test_a_counter_that_starts_anew_ends_the_part_before():
    samples = counter([TEN] * 30)
    again = counter([TEN] * 30, start=samples[-1][0], base=0)
    assert steady(samples + again[1:]).mbps == pytest.approx(10.0)


@pytest.mark.parametrize("samples", [[], [(0.0, 0)], counter([TEN] * 3), counter([0.0] * 50)])
def test_too_little_gives_nothing(samples):
    assert steady(samples) is None
    assert estimator.down(samples, samples) is None
    assert estimator.up(samples) is None


def test_a_fast_line_is_cut_finer():
    found = steady(counter([TEN * 300] * 30, step=0.005))
    assert found.steps >= MIN_STEPS
    assert found.mbps == pytest.approx(3000, rel=0.01)


def test_a_transfer_too_short_for_readings_has_its_mean():
    samples = [(1.0, 50), (1.1, 50), (1.15, 5_000_050), (1.2, 10_000_050), (1.3, 10_000_050)]
    assert steady(samples) is None
    assert overall(samples) == pytest.approx(800.0)
    payload = [(t, count - 50) for t, count in samples]
    found = estimator.down(samples, payload)
    assert found.mbps == pytest.approx(800.0)
    assert (found.low, found.high) == (0.0, pytest.approx(800.0))
    assert estimator.up(samples) == pytest.approx(800.0 * estimator.FRAME)
    assert overall([(1.0, 0), (2.0, 999_999)]) is None


@settings(max_examples=60, deadline=None)
@given(
    rate=st.floats(1e4, 1e9),
    noise=st.floats(0.0, 0.2),
    seed=st.integers(0, 999),
    ramp=st.integers(0, 6),
)
def test_the_interval_holds_the_rate(rate, noise, seed, ramp):
    draw = random.Random(seed)
    rates = [rate * (i + 1) / (ramp + 1) for i in range(ramp)]
    rates += [rate * (1 + draw.uniform(-noise, noise)) for _ in range(40)]
    found = steady(counter(rates))
    assert found.low <= found.mbps <= found.high
    assert found.mbps == pytest.approx(rate * 8 / 1e6, rel=noise + 0.01)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.0001, 0.005, 0.1, 1.0]), st.integers(-5, 10**8)),
        max_size=60,
    )
)
def test_no_counter_breaks_it(steps):
    samples, t, count = [], 0.0, 0
    for pause, more in steps:
        t, count = t + pause, max(0, count + more)
        samples.append((t, count))
    for found in (steady(samples), estimator.down(samples, samples)):
        if found is not None:
            assert found.low <= found.mbps <= found.high
    for rate in (overall(samples), estimator.up(samples), confirmed(samples)):
        assert rate is None or rate >= 0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_median(values):
    import statistics

    assert median(values) == pytest.approx(statistics.median(values))


def test_down_counts_frames_not_payload():
    payload = counter([TEN / estimator.FRAME] * 40, base=0)
    found = estimator.down(counter([TEN] * 40), payload, lag_s=0.0)
    assert found.mbps == pytest.approx(10.0)
    assert found.other_share < 0.001


@pytest.mark.parametrize("foreign", [0.1, 0.3, 2.0])
def test_traffic_inside_the_school_cannot_raise_it(foreign):
    payload = counter([TEN / estimator.FRAME] * 40, base=0)
    found = estimator.down(counter([TEN * (1 + foreign)] * 40), payload, lag_s=0.0)
    assert found.mbps <= 10 * estimator.CAP / estimator.FRAME + 0.01
    assert found.other_share == pytest.approx(foreign / (1 + foreign), abs=0.01)


@pytest.mark.parametrize("foreign", [0.0, 0.02, 0.04, 0.3, 2.0])
def test_the_frames_that_the_server_knows_are_the_sharper_bound(foreign):
    nic, payload = counter([TEN * (1 + foreign)] * 40), counter([TEN / 1.0456] * 40, base=0)
    found = estimator.down(nic, payload, frames=counter([TEN] * 60, step=0.07, start=3.0))
    assert found.mbps == pytest.approx(10.0, rel=0.0101)
    assert found.other_share == pytest.approx(foreign / (1 + foreign), abs=0.001)


def test_a_burst_bucket_is_seen_and_the_later_rate_is_the_lines():
    rates = [0.3 * TEN] + [TEN] * 32 + [0.7 * TEN] + [TEN / 2] * 40
    found = estimator.down(counter(rates), counter(rates, base=0))
    assert found.burst
    assert found.mbps == pytest.approx(5.0, rel=0.01)


@pytest.mark.parametrize(
    "rates",
    [
        [TEN] * 60,
        [TEN, TEN / 2] * 30,  # it wavers
        [TEN] * 55 + [TEN / 2] * 3,  # too short at the end to tell
        [TEN / 2] * 30 + [TEN] * 30,  # it rises
        [TEN] * 2 + [TEN / 2] * 50,  # two steps are no block
        [TEN] * 30 + [0.9 * TEN] * 30,
    ],
)
def test_what_is_no_burst(rates):
    assert not estimator.down(counter(rates), counter(rates, base=0)).burst


def test_segments_that_wait_for_others_do_not_lower_it():
    """The application is one loaded round trip behind the interface."""
    payload = [(t, max(0, count - 110_000)) for t, count in counter([TEN / 1.0456] * 40, base=0)]
    assert estimator.down(counter([TEN] * 40), payload, lag_s=0.1).mbps == pytest.approx(10.0)


def test_the_servers_record_bounds_it():
    found = estimator.down(counter([TEN] * 40), counter([TEN / 1.0456] * 40, base=0))
    assert estimator.bounded(found, None) == found
    assert estimator.bounded(found, 9.56) == found
    low = estimator.bounded(found, 5.0)
    assert low.mbps == low.high == pytest.approx(5.0 * estimator.CONFIRMED)


def test_up_is_the_servers_payload_in_frames():
    assert estimator.up(counter([TEN / estimator.FRAME] * 40)) == pytest.approx(10.0)


SLOW_START = [TEN * min(1.0, n / 80) for n in range(80)]


def test_a_far_lines_rate_is_that_of_its_second_half():
    """Connections over a satellite come back so slowly that half the test lacks a little."""
    rates = [TEN * 0.93] * 100 + [TEN] * 90
    wire, payload = counter(rates), counter([rate / estimator.FRAME for rate in rates], base=0)
    near, far = (estimator.down(wire, payload, frames=wire, far=far) for far in (False, True))
    assert near.mbps < 9.99
    assert far.mbps == pytest.approx(10.0)
    assert estimator.even(far)
    assert estimator.up(payload, wire, far=True) == pytest.approx(10.0)


def test_a_far_line_that_its_connections_do_not_fill_has_no_rate():
    """It still rises at the end, or goes up and down as connections lose and recover."""
    draw = random.Random(5)
    saw = [TEN * draw.uniform(0.3, 0.9) for _ in range(160)]
    for rates in (SLOW_START, saw):
        wire = counter(rates)
        payload = counter([rate / estimator.FRAME for rate in rates], base=0)
        assert not estimator.even(estimator.down(wire, payload, far=True))
        assert estimator.up(payload, wire, far=True) is None


def test_acknowledgements_in_lumps_do_not_lower_a_far_line():
    """By the server's count three steps bring little and a fourth the rest."""
    wire, payload = counter([TEN] * 160), counter([TEN / 1.0456] * 160, base=0)
    lumps = counter([0.95 * TEN, 0.95 * TEN, 0.95 * TEN, 1.15 * TEN] * 40)
    assert estimator.down(wire, payload, frames=lumps, far=True).mbps == pytest.approx(10.0)


@pytest.mark.parametrize("foreign", [0.02, 0.3, 2.0])
def test_traffic_inside_the_school_cannot_raise_a_far_line(foreign):
    nic, payload = counter([TEN * (1 + foreign)] * 160), counter([TEN / 1.0456] * 160, base=0)
    found = estimator.down(nic, payload, frames=counter([TEN] * 160), far=True)
    assert found.mbps == pytest.approx(10.0, rel=0.0101)


def test_latency_and_jitter():
    assert estimator.latency([]) == (None, None)
    assert estimator.latency([5.0]) == (5.0, None)
    assert estimator.latency([1.0, 3.0, 2.0]) == (2.0, 1.5)


def test_two_readings_at_one_moment_are_one() -> None:
    """A clock may stand between them; the later reading counts."""
    true = [(n / 20, n * 62_500) for n in range(200)]
    twice = [(time, count) for time, later in true for count in (max(0, later - 1000), later)]
    assert steady(twice) == steady(true)

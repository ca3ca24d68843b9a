"""Corrected time: echoes, round trips, drift, and clocks that are years off."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import MAX_ROUND_TRIP, Clock, elapsed_ms, wall_ms

NOW = 1_790_000_000_000
Y2010 = int(dt.datetime(2010, 1, 1, tzinfo=dt.UTC).timestamp() * 1000)
Y2040 = int(dt.datetime(2040, 1, 1, tzinfo=dt.UTC).timestamp() * 1000)


def test_nothing_is_known_before_an_echo(pc: Any) -> None:
    assert not pc.clock.known
    assert pc.clock.now() is None
    assert pc.clock.offset() is None
    assert not pc.clock.on_echo(12345, NOW)


@pytest.mark.parametrize("wall", [Y2010, NOW, Y2040])
def test_a_wrong_clock_is_corrected_by_the_hello(make_pc: Any, wall: int) -> None:
    pc = make_pc(wall)
    pc.learns_time(NOW, took=400)
    assert pc.clock.now() == NOW + 200  # the middle of the round trip
    assert pc.clock.offset() == NOW + 200 - (wall + 400)


@pytest.mark.parametrize("jump", [-(10**12), 10**12, 3_600_000])
def test_setting_the_pc_clock_moves_nothing(pc: Any, jump: int) -> None:
    pc.learns_time()
    pc.wall += jump
    pc.passes(1_000)
    assert pc.clock.now() == NOW + 1_000


def test_an_echo_from_a_queue_tells_nothing(pc: Any) -> None:
    sent = pc.clock.mark()
    pc.passes(MAX_ROUND_TRIP + 1)
    assert not pc.clock.on_echo(sent, NOW)
    assert not pc.clock.known


def test_an_echo_counts_once(pc: Any) -> None:
    sent = pc.clock.mark()
    assert pc.clock.on_echo(sent, NOW)
    assert not pc.clock.on_echo(sent, NOW + 10**9)


def test_what_was_sent_twice_moves_nothing(pc: Any) -> None:
    pc.learns_time()
    sent = pc.clock.mark()
    pc.clock.forget(sent)
    assert not pc.clock.on_echo(sent, NOW + 10**9)


def test_a_slow_echo_does_not_spoil_a_sure_offset(pc: Any) -> None:
    pc.learns_time(NOW, took=20)
    sent = pc.clock.mark()
    pc.passes(10_000)
    true = pc.clock.now()
    assert not pc.clock.on_echo(sent, true - 100)  # said at once, arrived 10 s late
    assert pc.clock.now() == true


def test_a_quick_echo_refines_a_slow_one(pc: Any) -> None:
    pc.learns_time(NOW, took=8_000)
    sent = pc.clock.mark()
    pc.passes(20)
    assert pc.clock.on_echo(sent, NOW + 9_000)
    assert pc.clock.now() == NOW + 9_010


def test_a_collector_whose_clock_was_set_is_followed(pc: Any) -> None:
    pc.learns_time(NOW, took=10)
    sent = pc.clock.mark()
    pc.passes(2_000)
    assert pc.clock.on_echo(sent, NOW + 3_600_000)
    assert pc.clock.now() == NOW + 3_601_000


def test_two_sendings_of_one_millisecond_have_two_marks(pc: Any) -> None:
    assert len({pc.clock.mark() for _ in range(50)}) == 50


def test_marks_do_not_pile_up(pc: Any) -> None:
    first = pc.clock.mark()
    for _ in range(1_000):
        pc.passes(1)
        pc.clock.mark()
    assert not pc.clock.on_echo(first, NOW)


@given(st.integers(0, 9_000), st.integers(0, 9_000), st.integers(-(10**12), 10**12))
def test_the_error_is_at_most_half_the_round_trip(up: int, down: int, off: int) -> None:
    true, elapsed = NOW, 0
    clock = Clock(lambda: true + off, lambda: elapsed)
    sent = clock.mark()
    true, elapsed = true + up, elapsed + up
    said = true
    true, elapsed = true + down, elapsed + down
    assert clock.on_echo(sent, said)
    corrected = clock.now()
    assert corrected is not None
    assert abs(corrected - true) <= (up + down) / 2 + 1


def test_the_real_clocks_run() -> None:
    first, wall = elapsed_ms(), wall_ms()
    assert elapsed_ms() >= first
    assert wall > NOW - 10**12

"""What the kernel says of an upload: frames as large as they were, at the time they were."""

from __future__ import annotations

import contextlib
import random
import socket
import sys
import threading
from collections.abc import Iterator

import pytest

from agent.common.steady import Sample
from collector.lineserver import tcp
from collector.lineserver.running import Running
from collector.lineserver.tcp import Reading
from collector.lineserver.turns import Turn, Wish

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="TCP counts segments on Linux")
SHORT, COUNT, LARGE = 500, 300, 40_000


@contextlib.contextmanager
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A sender without delay, and its receiver."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as sender,
    ):
        receiver, _ = listener.accept()
        sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with receiver:
            yield sender, receiver


def read(receiver: socket.socket, count: int) -> None:
    while count:
        count -= len(receiver.recv(min(count, 65_536)))


def counted(writes: list[int]) -> tuple[list[Sample], int]:
    """`up_frames` of an upload, written so again and again, and its segments."""
    turn = Turn("a" * 32, Wish("9963010001", "ab" * 16, "a"), 0.0, 15.0)
    now = [0.0]
    running = Running(turn, lambda: now[0])
    with connected() as (sender, receiver), running.transfer(receiver, sends=False):
        for _ in range(COUNT):
            for size in writes:
                sender.sendall(bytes(size))
                read(receiver, size)
            now[0] += 0.01
            running.sample()
        found = tcp.info(receiver)
    assert found is not None
    return running.up_frames, found.received


@pytest.mark.parametrize("writes", [[SHORT], [LARGE, SHORT], [SHORT, SHORT, LARGE]])
def test_short_segments_are_not_counted_as_full_ones(writes: list[int]) -> None:
    samples, segments = counted(writes)
    assert segments >= COUNT * len(writes)
    headers = 14 + 20 + 20 + 12
    true = COUNT * sum(writes) + segments * headers
    assert samples[-1][1] == pytest.approx(true, rel=0.02)


@pytest.mark.parametrize("lag", [0, 40_000, 200_000])
def test_a_gap_does_not_make_full_frames_look_short(lag: int) -> None:
    """What waits behind a gap is missing at most moments, and not at all of them."""
    full = [n * 1514 for n in range(10, 1000)]
    readings = [Reading(count - (lag * (count % 7 > 0)), count, None) for count in full]
    assert tcp.full_share(readings) == 1.0


@pytest.mark.parametrize("size", [200, 700, 1400])
def test_the_share_is_that_of_the_segments_sizes(size: int) -> None:
    for strays in (None, 5):
        readings = [Reading(n * (size + 66), n * 1514, strays) for n in range(1000)]
        assert tcp.full_share(readings) == pytest.approx((size + 66) / 1514)


def arrivals(size: int, seed: int) -> Iterator[Reading]:
    """Readings of a connection over a long way, which has a gap at nearly every moment.

    Each gap lasts for some round trips; what arrives meanwhile is a stray and waits behind it.
    """
    draw = random.Random(seed)
    segments = waiting = strays = 0
    gap = 0
    for _ in range(400):
        come = draw.randint(1, 6)
        segments += come
        if gap:
            gap -= 1
            strays += come - (gap == 0)
            waiting = waiting + come if gap else 0
        elif draw.random() < 0.2:
            gap, waiting, strays = draw.randint(3, 30), come, strays + come
        yield Reading((segments - waiting) * size + segments * 66, segments * 1514, strays, 1448)
    # The last gap stays: at the end there is always much that waits.


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("size", [1448, 1000, 300])
def test_of_a_connection_that_always_has_a_gap_the_steps_without_one_count(
    size: int, seed: int
) -> None:
    found = tcp.full_share(list(arrivals(size, seed)))
    assert found == pytest.approx((size + 66) / 1514, rel=0.002)


def test_a_step_in_which_the_size_of_a_segment_was_learned_says_nothing() -> None:
    small = [Reading(n * 1514, n * 602, 0, 536) for n in range(20)]
    large = [Reading(n * 1514, n * 1514, 0, 1448) for n in range(20, 100)]
    assert tcp.full_share([*small, *large]) == 1.0


def test_without_counts_frames_are_full() -> None:
    assert tcp.full_share([]) == 1.0
    assert tcp.full_share([Reading(0, 0, None)]) == 1.0


def test_a_sample_has_the_time_of_its_count() -> None:
    """A fast line's threads keep the lock; what arrives while a sample waits for it is in it."""
    turn = Turn("a" * 32, Wish("9963010001", "ab" * 16, "a"), 0.0, 15.0)
    asked, now = threading.Event(), [0.0]

    def clock() -> float:
        asked.set()
        return now[0]

    running = Running(turn, clock)
    with connected() as (_, receiver), running.transfer(receiver, sends=False):
        asked.clear()
        with running._lock:
            waiting = threading.Thread(target=running.sample)
            waiting.start()
            assert not asked.wait(0.1), "the clock was read before the lock was held"
            now[0] = 5.0
        waiting.join()
    assert [t for t, _ in running.up] == [0.0, 5.0]

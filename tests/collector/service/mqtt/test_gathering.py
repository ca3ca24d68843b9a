"""Waiting before reads: a broker that waits for us is not held up, a calm one is read seldom."""

from __future__ import annotations

import heapq
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import services
from agent.common.settings import Broker
from collector.service.mqtt import gathering
from collector.service.mqtt.batched_client import BatchedClient
from collector.service.mqtt.gathering import ENOUGH, GATHER_S, STEPS, Gathering
from collector.service.mqtt.link import Link
from collector.service.mqtt.packets import Outgoing

#: What a wake-up and a message cost the reader, s.
_WAKE_S, _MESSAGE_S = 60e-6, 15e-6


class Found(NamedTuple):
    """Messages and wake-ups a second, and the latest that a message was read after it came, s."""

    rate: float
    woken: float
    late: float


class Windowed:
    """Sends what comes to it, but no more than `window` without our acknowledgement.

    `most`: how many a read takes, as one has room for so many bytes. `past`: when others come that
    need none, at QoS 0.
    """

    def __init__(
        self, window: int, trip_s: float, times: list[float], most: int, past: list[float]
    ) -> None:
        self._trip_s, self._most = trip_s, most
        self._coming, self._past = times[::-1], past[::-1]
        self._taken: list[float] = []  # and not yet acknowledged
        self._others = 0  # of those taken that need none
        self._readable: list[tuple[float, float]] = []  # when it is, and when it came
        self._free = [0.0] * window  # when each slot is free, as the broker sees it

    def first(self) -> float | None:
        """When the next message can be read."""
        self._send()
        waiting = [self._readable[0][0]] if self._readable else []
        return min(waiting + self._past[-1:], default=None)

    def read(self, now: float) -> int:
        """Take what can be read now, as far as there is room; how much there is by now."""
        self._send()
        while self._readable and self._readable[0][0] <= now and len(self._taken) < self._most:
            self._taken.append(heapq.heappop(self._readable)[1])
        while self._past and self._past[-1] <= now:
            self._past.pop()
            self._others += 1
        return len(self._taken) + self._others

    def acknowledge(self, now: float) -> list[float]:
        """When that came which was taken."""
        taken, self._taken, self._others = self._taken, [], 0
        for _ in taken:
            heapq.heappush(self._free, now + self._trip_s / 2)
        return taken

    def _send(self) -> None:
        while self._free and self._coming:
            came = self._coming.pop()
            sent = max(came, heapq.heappop(self._free))
            heapq.heappush(self._readable, (sent + self._trip_s / 2, came))


def run(
    monkeypatch: Any,
    times: list[float],
    window: int,
    trip_s: float = 2e-4,
    most: int = 10**9,
    past: Sequence[float] = (),
) -> Found:
    """Read all of it as the client does, from a time on at which nothing was read before."""
    now = begun = 1000.0
    times, past = [begun + one for one in times], [begun + one for one in past]
    monkeypatch.setattr(gathering.time, "monotonic", lambda: now)

    def pause(seconds: float) -> None:
        nonlocal now, woken
        assert 0 < seconds <= GATHER_S * (STEPS - 1)
        now, woken = now + seconds, woken + 1

    broker = Windowed(window, trip_s, times, most, past)
    of, woken, late = Gathering(), 0, 0.0
    of.pause = pause
    while (next_ := broker.first()) is not None:
        woken += next_ > now
        now = max(now, next_)
        of.read(lambda: broker.read(now))  # noqa: B023
        count = broker.read(now)
        taken = broker.acknowledge(now)
        late = max([late, *(now - came for came in taken)])
        of.took(count)
        now += _WAKE_S + _MESSAGE_S * count
    return Found(len(times) / (now - begun), woken / (now - begun), late)


def flood(count: int = 20_000) -> list[float]:
    """All at once."""
    return [0.0] * count


def by_chance(rate: float, seconds: float = 20.0) -> list[float]:
    """So many a second, at times of their own."""
    drawn = random.Random(int(rate))
    return sorted(drawn.uniform(0, seconds) for _ in range(int(rate * seconds)))


WINDOWS = [1, 2, 3, 5, 10, 15, 16, 20, 50, 200]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(("trip_s", "share"), [(1e-4, 0.93), (1e-3, 0.95), (3e-3, 0.55)])
def test_a_flood_takes_little_longer_than_without_any_wait(
    monkeypatch: Any, window: int, trip_s: float, share: float
) -> None:
    """Where the broker is far, a window is nearly as good as a wait: no more than twice as long."""
    found = run(monkeypatch, flood(), window, trip_s)
    monkeypatch.setattr(gathering, "GATHER_S", 0.0)
    without = run(monkeypatch, flood(), window, trip_s)
    assert found.rate > without.rate * share


@pytest.mark.parametrize("rate", [300, 1000, 2000, 4000])
def test_a_calm_broker_is_read_about_as_seldom_as_by_waits_alone(
    monkeypatch: Any, rate: int
) -> None:
    times = by_chance(rate, 40.0)
    found = run(monkeypatch, times, 1000)
    monkeypatch.setattr(gathering, "TURN_S", 1e9)
    waits_alone = run(monkeypatch, times, 1000)
    assert found.woken < 1.2 * waits_alone.woken
    assert found.late < (STEPS + 1) * GATHER_S


@pytest.mark.parametrize("rate", [1000, 2000])
def test_waits_that_bring_several_go_on(monkeypatch: Any, rate: int) -> None:
    """Each read has two wake-ups then, and one of a single step brings a quarter as much."""
    times = by_chance(rate)
    found = run(monkeypatch, times, 1000)
    monkeypatch.setattr(gathering, "STEPS", 1)
    monkeypatch.setattr(gathering, "_SEVERAL", 10**9)
    assert found.woken < 0.7 * run(monkeypatch, times, 1000).woken


@pytest.mark.parametrize("window", [5, 10, 20, 30, 45, 60, 100])
@pytest.mark.parametrize("rate", [1000, 2000, 3000])
@pytest.mark.parametrize("trip_s", [1e-4, 1e-3, 3e-3])
@pytest.mark.parametrize("most", [5, 20, 10**9])
def test_a_wait_that_goes_on_holds_nobody_up(
    monkeypatch: Any, window: int, rate: int, trip_s: float, most: int
) -> None:
    """Whatever is full, the broker's window or the room of a read: hardly later than by one step.

    Where one step falls behind, so do several, by as much.
    """
    times = by_chance(rate, 5.0)
    found = run(monkeypatch, times, window, trip_s, most)
    monkeypatch.setattr(gathering, "STEPS", 1)
    monkeypatch.setattr(gathering, "_SEVERAL", 10**9)
    one_step = run(monkeypatch, times, window, trip_s, most)
    assert found.late < 1.2 * one_step.late + (STEPS + 1) * GATHER_S


@pytest.mark.parametrize("window", [10, 20, 30])
@pytest.mark.parametrize("rate", [800, 1500, 2500])
def test_a_little_that_needs_no_window_keeps_no_wait_going(
    monkeypatch: Any, window: int, rate: int
) -> None:
    """Whoever has a school's credential may send at QoS 0."""
    times, past = by_chance(rate, 5.0), by_chance(249, 5.0)
    found = run(monkeypatch, times, window, past=past)
    monkeypatch.setattr(gathering, "STEPS", 1)
    monkeypatch.setattr(gathering, "_SEVERAL", 10**9)
    one_step = run(monkeypatch, times, window, past=past)
    assert found.late < 1.2 * one_step.late + (STEPS + 1) * GATHER_S


@pytest.mark.parametrize("window", [1, 2, 5, 10, 15])
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_what_a_small_window_can_carry_is_carried_without_falling_behind(
    monkeypatch: Any, window: int, share: float
) -> None:
    """As many a second as that share of what comes without any wait: nothing piles up."""
    with monkeypatch.context() as patched:
        patched.setattr(gathering, "GATHER_S", 0.0)
        most = run(patched, flood(), window).rate
    found = run(monkeypatch, by_chance(share * most, 4.0), window)
    assert found.late < 1.5


def test_a_flood_that_ends_and_comes_again_is_seen_each_time(monkeypatch: Any) -> None:
    calm = by_chance(500, 5.0)
    times = [*calm, *[5.0] * 10_000, *(10.0 + one for one in calm), *[15.0] * 10_000]
    found = run(monkeypatch, times, 10)
    assert found.late < 2.5, "ten thousand by ten each 5 ms take 5 s"


def test_a_lone_message_is_never_waited_for(monkeypatch: Any) -> None:
    found = run(monkeypatch, [n * 2 * GATHER_S for n in range(1000)], 10)
    assert found.late < 1e-3


def test_a_read_that_brought_enough_is_not_waited_for(monkeypatch: Any) -> None:
    times = [n * GATHER_S / 2 for n in range(1000) for _ in range(ENOUGH)]
    assert run(monkeypatch, times, 1000).late < 1e-3


def test_a_read_without_a_wait_brings_enough_as_one_step_does(monkeypatch: Any) -> None:
    """Also after waits of several steps."""
    now, came, pauses = 1000.0, 0, []
    monkeypatch.setattr(gathering.time, "monotonic", lambda: now)
    of = Gathering()
    of._begun, of.pause = now, pauses.append  # within one turn

    def brings() -> int:
        nonlocal came
        came += 100
        return came

    for _ in range(9):
        came = 0
        of.read(brings)
        of.took(ENOUGH // 2 * of._steps)
    assert pauses[-2] == pytest.approx(GATHER_S * (STEPS - 1))
    now += 1.0
    of._begun = now
    of.read(brings)
    of.took(ENOUGH)
    pauses.clear()
    of.read(brings)
    assert pauses == []


@pytest.mark.mosquitto
@pytest.mark.parametrize("window", [1, 5, 10])
def test_all_receipts_reach_a_broker_that_takes_few_at_once(tmp_path: Path, window: int) -> None:
    """Each acknowledgement is counted, and no wait is longer than it may be."""
    total, counted, waits = 300 * window, [], []

    class Watched(Gathering):
        def took(self, count: int) -> None:
            counted.append(count)
            super().took(count)

    class Gathered(Link):
        def _make(self) -> BatchedClient:
            made = super()._make()
            made.gathering = Watched()
            made.gathering.pause = lambda seconds: (waits.append(seconds), time.sleep(seconds))[0]
            return made

    with services.broker("mosquitto", tmp_path, f"max_inflight_messages {window}\n") as running:
        link = Gathered(Broker(port=running.port), (), lambda *_: None, lambda: None)
        link.start()
        assert link.wait_up(services.PATIENCE_S)
        assert link.publish_all([Outgoing("t/x", b"1")] * total) == total
        assert link.flush(services.PATIENCE_S)
        link.stop()
    assert sum(counted) == total
    assert all(0 < seconds <= GATHER_S * (STEPS - 1) for seconds in waits)

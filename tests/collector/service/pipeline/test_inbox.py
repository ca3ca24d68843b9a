"""The inbox: batches by size, age and pauses, bounded, patient but in an outage."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import collector.service.pipeline.inbox as inbox_module
from collector.service.pipeline.inbox import Inbox, Message


def note(number: int, size: int = 1) -> Message:
    return Message(str(number), bytes(size), 0)


def put(inbox: Inbox, *messages: Message) -> int:
    return inbox.put_all(messages)


def test_a_batch_is_cut_by_size_and_by_age() -> None:
    inbox = Inbox()
    for number in range(5):
        put(inbox, note(number))
    assert [m.topic for m in inbox.take(3, age=60, pause=60, idle=60)] == ["0", "1", "2"]
    assert [m.topic for m in inbox.take(3, age=0.01, pause=60, idle=60)] == ["3", "4"]
    assert inbox.take(3, age=60, pause=60, idle=0.01) == []


def test_a_batch_waits_for_its_size() -> None:
    inbox, taken = Inbox(), []
    worker = threading.Thread(target=lambda: taken.extend(inbox.take(3, age=60, pause=60, idle=60)))
    worker.start()
    for number in range(3):
        put(inbox, note(number))
    worker.join(120)
    assert len(taken) == 3


def test_a_batch_ends_when_nothing_more_comes() -> None:
    inbox = Inbox()
    put(inbox, note(1), note(2))
    begun = time.monotonic()
    assert len(inbox.take(9, age=60, pause=0.01, idle=60)) == 2
    assert time.monotonic() - begun < 60


class Simulated:
    """An inbox on a simulated clock, with messages that arrive at these times, s."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, arrivals: Sequence[float]) -> None:
        self.inbox, self.now, self._coming = Inbox(), 0.0, deque(arrivals)
        monkeypatch.setattr(inbox_module.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(self.inbox._filled, "wait_for", self._wait_for)

    def _wait_for(self, met: Callable[[], bool], seconds: float) -> bool:
        """As a condition does: its lock is free meanwhile."""
        end = self.now + seconds
        while not met() and self._coming and self._coming[0] <= end:
            self.now = max(self.now, self._coming.popleft())
            self.inbox._lock.release()
            self.inbox.put_all([note(0)])
            self.inbox._lock.acquire()
        if not met():
            self.now = end
        return met()


def batch_of(arrivals: Sequence[float], limit: int, age: float, pause: float) -> int:
    """How many messages go with the first one, said in another way."""
    end = arrivals[0] + age
    for count, (one, following) in enumerate(itertools.pairwise((*arrivals, math.inf)), 1):
        if count == limit or following > min(end, one + pause):
            return count
    raise AssertionError


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(1, 30))
def test_a_batch_goes_on_while_more_comes_until_its_age(gaps: list[int], limit: int) -> None:
    arrivals = list(itertools.accumulate(gap / 1024 for gap in gaps))
    with pytest.MonkeyPatch.context() as patch:
        simulated = Simulated(patch, arrivals)
        taken = simulated.inbox.take(limit, age=1.0, pause=0.125, idle=60)
    assert len(taken) == batch_of(arrivals, limit, 1.0, 0.125)


def test_a_full_inbox_turns_away_in_an_outage_and_waits_else() -> None:
    for inbox in (Inbox(limit=2), Inbox(limit=99, limit_bytes=10)):
        inbox.set_put_timeout(0)
        assert put(inbox, note(1, 5))
        assert put(inbox, note(2, 5))
        assert not put(inbox, note(3, 5))
        inbox.set_put_timeout(60)
        emptier = threading.Timer(0.05, lambda: inbox.take(1, 0, 0, 0))  # noqa: B023
        emptier.start()
        assert put(inbox, note(4, 5)), "room came while it waited"
        emptier.join()


def test_a_list_is_taken_as_far_as_there_is_room() -> None:
    for inbox in (Inbox(limit=3), Inbox(limit=99, limit_bytes=15)):
        inbox.set_put_timeout(0)
        assert put(inbox, *(note(n, 5) for n in range(5))) == 3
        assert [m.topic for m in inbox.take(9, age=0, pause=60, idle=0)] == ["0", "1", "2"]


def test_a_list_longer_than_the_inbox_goes_through_it_in_order() -> None:
    inbox, heard = Inbox(limit=3), []
    inbox.set_put_timeout(60)

    def take() -> None:
        while len(heard) < 99:
            heard.extend(m.topic for m in inbox.take(3, age=60, pause=60, idle=60))

    taker = threading.Thread(target=take)
    taker.start()
    assert put(inbox, *(note(n) for n in range(99))) == 99
    taker.join(120)
    assert heard == [str(n) for n in range(99)]


def test_an_outage_frees_who_waits() -> None:
    inbox, answers = Inbox(limit=1), []
    inbox.set_put_timeout(60)
    put(inbox, note(1))
    waiter = threading.Thread(target=lambda: answers.append(put(inbox, note(2))))
    waiter.start()
    time.sleep(0.02)
    inbox.set_put_timeout(0)
    waiter.join(120)
    assert answers == [0]


def test_a_closed_inbox_gives_out_what_it_has() -> None:
    inbox = Inbox()
    put(inbox, note(1))
    inbox.close()
    assert not put(inbox, note(2))
    assert [m.topic for m in inbox.take(9, age=60, pause=60, idle=60)] == ["1"]
    assert inbox.take(9, age=60, pause=60, idle=60) == []

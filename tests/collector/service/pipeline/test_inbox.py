"""The inbox: batches by size, age and pauses, bounded, patient but in an outage."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import collector.service.pipeline.inbox as inbox_module
from agent.wire.topics import report_topic
from collector.service.mqtt.packets import Outgoing, packet_of
from collector.service.mqtt.reports import Reports, reports_at
from collector.service.pipeline.inbox import Inbox, Message
from collector.service.pipeline.worker import Worker


def note(number: int, size: int = 1) -> Message:
    return Message(str(number), bytes(size), 0)


def put(inbox: Inbox, *messages: Message) -> int:
    return inbox.put_all(messages)


def reports(numbers: Sequence[int], size: int = 200) -> Reports:
    """So many of one PC, as one read brings them."""
    sent = [Outgoing(report_topic("1" * 10, "c" * 32, "b" * 16, n), bytes(size)) for n in numbers]
    found = reports_at(b"".join(packet_of(one, 7, True) for one in sent), 0, True)
    assert found is not None
    assert len(found) == len(numbers)
    return found


def numbers_of(messages: Sequence[Message]) -> list[int]:
    return [int(message.topic.rpartition("/")[2]) for message in messages]


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
    """An inbox on a simulated clock; messages, and lists of none, arrive at these times, s."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        arrivals: Sequence[float],
        empty: Sequence[float] = (),
    ) -> None:
        self.inbox, self.now = Inbox(), 0.0
        self._coming = deque(sorted([(at, 1) for at in arrivals] + [(at, 0) for at in empty]))
        monkeypatch.setattr(inbox_module.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(self.inbox._filled, "wait_for", self._wait_for)

    def _wait_for(self, met: Callable[[], bool], seconds: float) -> bool:
        """As a condition does: its lock is free meanwhile."""
        end = self.now + seconds
        while not met() and self._coming and self._coming[0][0] <= end:
            at, count = self._coming.popleft()
            self.now = max(self.now, at)
            self.inbox._lock.release()
            self.inbox.put_all([note(0)] * count)
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


def test_a_batch_of_large_messages_goes_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as a batch takes: else each four megabytes would wait for its age."""
    inbox = Inbox()
    put(inbox, *(note(n, 300_000) for n in range(40)))
    monkeypatch.setattr(inbox._filled, "wait", lambda timeout=None: pytest.fail("it waited"))
    assert len(inbox.take(2000, age=60, pause=60, idle=60)) == 14
    assert len(inbox.take(2000, age=60, pause=60, idle=60)) == 14


def test_large_messages_wake_who_waits_for_them() -> None:
    inbox, taken = Inbox(), []
    worker = threading.Thread(target=lambda: taken.extend(inbox.take(2000, 60, 60, 60)))
    begun = time.monotonic()
    put(inbox, note(0, 300_000))
    worker.start()
    while inbox._wanted != 2000:  # it waits for more
        assert time.monotonic() < begun + 50
        time.sleep(0.001)
    for n in range(1, 14):
        put(inbox, note(n, 300_000))
    worker.join(50)
    assert len(taken) == 14
    assert time.monotonic() - begun < 50


def test_what_is_not_taken_keeps_no_batch_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists without a message for the inbox come all the time: hellos, the broker's own."""
    simulated = Simulated(monkeypatch, [0.0], [0.05 * n for n in range(1, 40)])
    assert len(simulated.inbox.take(9, age=1.0, pause=0.125, idle=60)) == 1
    assert simulated.now == pytest.approx(0.125)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(1, 30))
def test_a_batch_goes_on_while_more_comes_until_its_age(gaps: list[int], limit: int) -> None:
    arrivals = list(itertools.accumulate(gap / 1024 for gap in gaps))
    with pytest.MonkeyPatch.context() as patch:
        simulated = Simulated(patch, arrivals)
        taken = simulated.inbox.take(limit, age=1.0, pause=0.125, idle=60)
    assert len(taken) == batch_of(arrivals, limit, 1.0, 0.125)


@pytest.mark.parametrize(
    ("rate", "least", "most_s"),
    [(1, 1, 0.06), (68, 50, 0.81), (2000, 1550, 0.81), (9000, 2000, 0.3)],
)
def test_the_worker_s_batches_are_large_where_much_comes_and_early_where_little_does(
    monkeypatch: pytest.MonkeyPatch, rate: int, least: int, most_s: float
) -> None:
    """Messages of the first batch, and how long the first of them waited."""
    simulated = Simulated(monkeypatch, [n / rate for n in range(3 * rate)])
    taken: list[int] = []

    def sort(messages: list[Message]) -> None:
        taken.append(len(messages))
        simulated.inbox.close()
        simulated.inbox.take(99_999, 0, 0, 0)

    sorter: Any = SimpleNamespace(start=lambda: None)
    worker = Worker(simulated.inbox, sorter, sorter)
    monkeypatch.setattr(worker, "_sort", sort)
    worker._sort_all()
    assert taken[0] >= least
    assert simulated.now <= most_s


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


def test_reports_of_a_read_stand_in_their_place_each_a_nanosecond_later() -> None:
    inbox = Inbox()
    put(inbox, note(2))
    assert inbox.put_reports(reports(range(3, 6)), 1000) == 3
    put(inbox, note(6))
    assert (len(inbox), inbox.first) == (5, 0)
    found = inbox.take(9, age=0, pause=0, idle=0)
    assert numbers_of(found) == [2, 3, 4, 5, 6]
    assert [message.arrived for message in found] == [0, 1000, 1001, 1002, 0]
    assert {message.payload for message in found[1:4]} == {bytes(200)}
    assert (len(inbox), inbox.first) == (0, None)


def test_a_read_is_taken_whole_and_a_batch_is_no_larger_for_it() -> None:
    inbox = Inbox()
    for first in (2, 12, 22):
        inbox.put_reports(reports(range(first, first + 8)), 0)
    assert len(inbox.take(20, age=0, pause=0, idle=0)) == 16
    assert len(inbox.take(5, age=0, pause=0, idle=0)) == 8, "larger than a batch by itself"
    assert inbox.take(5, age=0, pause=0, idle=0) == []


def test_reports_of_a_read_are_bounded_as_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """In number and bytes; of a read that does not fit, as many as there is room for."""
    size = len(reports([2]).packets)
    for inbox in (Inbox(limit=5), Inbox(limit=99, limit_bytes=4 * size + 200)):
        inbox.set_put_timeout(0)
        assert inbox.put_reports(reports(range(2, 6)), 0) == 4
        assert inbox.put_reports(reports(range(6, 9)), 0) == 1
        assert numbers_of(inbox.take(9, age=0, pause=60, idle=0)) == [2, 3, 4, 5, 6]
        inbox.close()
        assert inbox.put_reports(reports([9]), 0) == 0
    inbox = Inbox()
    for _ in range(400):
        inbox.put_reports(reports([2], 15_000), 0)
    monkeypatch.setattr(inbox._filled, "wait", lambda timeout=None: pytest.fail("it waited"))
    assert len(inbox.take(2000, age=60, pause=60, idle=60)) == 278, "four megabytes of packets"


def test_reports_of_a_read_wake_who_waits_for_them() -> None:
    inbox, taken = Inbox(), []
    taker = threading.Thread(target=lambda: taken.extend(inbox.take(3, age=60, pause=60, idle=60)))
    taker.start()
    inbox.put_reports(reports([2, 3, 4]), 0)
    taker.join(50)
    assert numbers_of(taken) == [2, 3, 4]


@given(
    st.lists(st.one_of(st.integers(1, 9), st.lists(st.integers(2, 9), min_size=1, max_size=6))),
    st.integers(1, 9),
)
def test_all_that_was_put_is_taken_once_and_in_order(
    given_: list[int | list[int]], limit: int
) -> None:
    """An integer is a message, a list the reports of a read."""
    inbox, expected, found = Inbox(), [], []
    for one in given_:
        if isinstance(one, int):
            put(inbox, note(one))
            expected.append(one)
        else:
            inbox.put_reports(reports(one), 0)
            expected += one
    assert len(inbox) == len(expected)
    while taken := inbox.take(limit, age=0, pause=0, idle=0):
        found += numbers_of(taken)
    assert found == expected
    assert (inbox._count, inbox._bytes) == (0, 0)
